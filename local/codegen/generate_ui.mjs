// Generates the UI code of one codegen job with AWS's own generator.
//   node generate_ui.mjs JOB FOLDER OUTCOME
// JOB is a file with the codegenJobToCreate of StartCodegenJob. Writes the code into FOLDER, and into the file OUTCOME
//   {"files": [{"fileName", "schemaName"}], "errors": [{"schemaName", "error"}], "dependencies": […]}
// An error concerns one schema (a form, the theme, …); the others are generated all the same.
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';

// Both are CommonJS, whose names Node can't all find by itself.
const require = createRequire(import.meta.url);
const { checkIsSupportedAsForm } = require('@aws-amplify/codegen-ui');
const {
  AmplifyFormRenderer,
  ModuleKind,
  ReactIndexStudioTemplateRenderer,
  ReactRequiredDependencyProvider,
  ReactThemeStudioTemplateRenderer,
  ReactUtilsStudioTemplateRenderer,
  ScriptKind,
  ScriptTarget,
} = require('@aws-amplify/codegen-ui-react');

const SCRIPTS = { jsx: ScriptKind.JSX, tsx: ScriptKind.TSX, js: ScriptKind.JS };
const TARGETS = { es2015: ScriptTarget.ES2015, es2020: ScriptTarget.ES2020 };
const MODULES = { es2020: ModuleKind.ES2020, esnext: ModuleKind.ESNext };
const APIS = { graphQLConfig: 'GraphQL', dataStoreConfig: 'DataStore', noApiConfig: 'NoApi' };
const TYPES = { Enum: 'enum', Model: 'model', NonModel: 'nonModel' };

const mapValues = (object, change) =>
  Object.fromEntries(Object.entries(object).map(([name, value]) => [name, change(value)]));
const given = (object) => Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined));

function rendererConfig({ module, target, script, apiConfiguration, ...others }) {
  const config = { module: MODULES[module], target: TARGETS[target], script: SCRIPTS[script], ...others };
  if (apiConfiguration) {
    const [[api, paths]] = Object.entries(apiConfiguration);
    config.apiConfiguration = { dataApi: APIS[api], ...paths };
  }
  // The generator's own defaults must not be hidden by members that are there and undefined.
  return given(config);
}

function generatorSchema({ models, nonModels, enums, ...others }) {
  const field = ({ dataType, dataTypeValue, ...flags }) => ({
    dataType: dataType in TYPES ? { [TYPES[dataType]]: dataTypeValue } : dataType,
    ...flags,
  });
  const type = (declared) => ({ ...declared, fields: mapValues(declared.fields, field) });
  return { ...others, models: mapValues(models, type), nonModels: mapValues(nonModels, type), enums };
}

function forms(schema, features) {
  return Object.entries(schema.models)
    .filter(([, model]) => checkIsSupportedAsForm(model, features) && !model.isJoinTable)
    .flatMap(([dataTypeName]) =>
      ['create', 'update'].map((formActionType) => ({
        name: `${dataTypeName}${formActionType === 'create' ? 'Create' : 'Update'}Form`,
        formActionType,
        dataType: { dataSourceType: 'DataStore', dataTypeName },
        fields: {},
        sectionalElements: {},
        style: {},
        cta: {},
      })),
    );
}

// As the generator names it, which does not tell.
const declarationName = (fileName) => `${fileName.replace(/\.[jt]sx$/, '')}.d.ts`;

async function generate(job, folder) {
  const config = rendererConfig(job.renderConfig.react);
  const outcome = { files: [], errors: [] };

  async function write(schemaName, makeRenderer) {
    try {
      const renderer = makeRenderer();
      const rendered = renderer.renderComponent();
      await rendered.renderComponentToFilesystem(folder);
      outcome.files.push({ fileName: renderer.fileName, schemaName });
      if (rendered.declaration) {
        outcome.files.push({ fileName: declarationName(renderer.fileName), schemaName });
      }
      return true;
    } catch (error) {
      outcome.errors.push({ schemaName, error: String(error.message) });
      return false;
    }
  }

  const written = [];
  const theme = { name: 'studioTheme', values: [] };
  const options = { renderDefaultTheme: true };
  if (await write(theme.name, () => new ReactThemeStudioTemplateRenderer(theme, config, options))) {
    written.push(theme);
  }
  if (job.autoGenerateForms && job.genericDataSchema) {
    const schema = generatorSchema(job.genericDataSchema);
    for (const form of forms(schema, job.features)) {
      if (await write(form.name, () => new AmplifyFormRenderer(form, schema, config, job.features))) {
        written.push(form);
      }
    }
  }
  const names = written.map(({ name }) => name).sort();
  const schemas = names.map((name) => ({ name }));
  await write('AmplifyStudioIndexFile', () => new ReactIndexStudioTemplateRenderer(schemas, config));
  if (written.some((schema) => schema !== theme)) {
    const utils = ['validation', 'formatter', 'fetchByPath', 'processFile'];
    await write('AmplifyStudioUtilFile', () => new ReactUtilsStudioTemplateRenderer(utils, config));
  }
  outcome.dependencies = new ReactRequiredDependencyProvider()
    .getRequiredDependencies(false, config)
    .map(({ dependencyName, supportedSemVerPattern, reason }) => ({
      name: dependencyName,
      supportedVersion: supportedSemVerPattern,
      isSemVer: true,
      reason,
    }));
  return outcome;
}

const [job, folder, outcome] = process.argv.slice(2);
writeFileSync(outcome, JSON.stringify(await generate(JSON.parse(readFileSync(job, 'utf8')), folder)));
