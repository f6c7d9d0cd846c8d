"""From a GraphQL schema to the data schema of a codegen job."""
