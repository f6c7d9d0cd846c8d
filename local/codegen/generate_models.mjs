// Generates the models of one GraphQL schema with AWS's own generator.
//   node generate_models.mjs SCHEMA OUTCOME
// Writes into the file OUTCOME {"models": {file name: text}, "modelIntrospectionSchema": text} or {"error": message}.
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';

// It is CommonJS, whose names Node can't all find by itself.
const { generateModels } = createRequire(import.meta.url)('@aws-amplify/graphql-generator');

async function generate(schema) {
  const models = await generateModels({ schema, target: 'javascript' });
  const introspection = await generateModels({ schema, target: 'introspection' });
  return { models, modelIntrospectionSchema: introspection['model-introspection.json'] };
}

const [schema, outcome] = process.argv.slice(2);
const answer = await generate(readFileSync(schema, 'utf8')).catch((error) => ({ error: String(error.message) }));
writeFileSync(outcome, JSON.stringify(answer));
