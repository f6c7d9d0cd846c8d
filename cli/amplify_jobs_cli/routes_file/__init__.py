"""Reading routes.yaml, with a message for everything that is wrong in it."""
