// Generates the models of one GraphQL schema with AWS's own generator.
//   node generate_models.mjs < the schema
// Writes to stdout {"models": {file name: text}, "modelIntrospectionSchema": text}, or {"error": message}.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

// It is CommonJS, whose names Node can't all find by itself.
const { generateModels } = createRequire(import.meta.url)('@aws-amplify/graphql-generator');

// The generator tells of fields that it leaves out; stdout is for the answer.
console.log = console.error;

async function generate(schema) {
  const models = await generateModels({ schema, target: 'javascript' });
  const introspection = await generateModels({ schema, target: 'introspection' });
  return { models, modelIntrospectionSchema: introspection['model-introspection.json'] };
}

const answer = await generate(readFileSync(0, 'utf8')).catch((error) => ({ error: String(error.message) }));
process.stdout.write(JSON.stringify(answer));
