// What AWS's own libraries make of a GraphQL schema: JSON lines in ({"schema"}), JSON lines out ({"genericDataSchema",
// "milliseconds"} or {"error", "milliseconds"}). The measure for graphql_schema.py, in results and in time.
import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';

const require = createRequire(new URL('../local/codegen/package.json', import.meta.url));
const { generateModelsSync } = require('@aws-amplify/graphql-generator');
const { getGenericFromDataStore } = require('@aws-amplify/codegen-ui');

const KINDS = { enum: 'Enum', model: 'Model', nonModel: 'NonModel' };

function wireField({ dataType, relationship, ...flags }) {
  const [kind, value] = typeof dataType === 'string' ? [dataType, dataType] : Object.entries(dataType)[0];
  const field = { dataType: KINDS[kind] ?? kind, dataTypeValue: value, ...flags };
  if (relationship) {
    field.relationship = relationship.type === 'HAS_MANY' ? relationship : { isHasManyIndex: false, ...relationship };
  }
  return field;
}

const values = (object, change) => Object.fromEntries(Object.entries(object).map(([key, value]) => [key, change(value)]));
const withFields = (type) => ({ ...type, fields: values(type.fields, wireField) });

function genericDataSchema(schema) {
  const models = generateModelsSync({ schema, target: 'introspection' });
  const generic = getGenericFromDataStore(JSON.parse(models['model-introspection.json']));
  return {
    dataSourceType: generic.dataSourceType,
    models: values(generic.models, withFields),
    nonModels: values(generic.nonModels, withFields),
    enums: values(generic.enums, ({ values }) => ({ values })),
  };
}

console.log = console.warn = () => {};
for await (const line of createInterface({ input: process.stdin })) {
  const began = performance.now();
  let answer;
  try {
    answer = { genericDataSchema: genericDataSchema(JSON.parse(line).schema) };
  } catch (error) {
    answer = { error: String(error.message) };
  }
  answer.milliseconds = performance.now() - began;
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
