import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { type Runner, recipeFiles } from '../support/testing/recipes.js';
import { FORMATS, installed, PEERS_OF_NEST_11 } from './install.js';
import { ENTRIES, jestSettings, KUBERNETES, loadTest } from './jest-entries.js';
import { mustRun, run } from './run.js';

/** How many tests the page about testing has. */
const COUNT = [...recipeFiles('vitest').values()].join('\n').match(/^it\(/gm)!.length;

type Setup = [name: string, config: string, type: string, env: NodeJS.ProcessEnv];

/** An application with the files of the page, for a runner. */
function recipes(home: string, name: string, runner: Runner, type: string): string {
  const app = join(home, `recipes-${name}`);
  for (const [file, text] of recipeFiles(runner)) {
    mkdirSync(dirname(join(app, file)), { recursive: true });
    writeFileSync(join(app, file), text);
  }
  writeFileSync(join(app, 'package.json'), JSON.stringify({ private: true, type }));
  writeFileSync(join(app, 'tsconfig.json'), JSON.stringify({ compilerOptions: STARTERS_OPTIONS }));
  return app;
}

/** Those of the starter of Nest 11, which ts-jest reads beside the options of the page. */
const STARTERS_OPTIONS = {
  module: 'nodenext',
  moduleResolution: 'nodenext',
  resolvePackageJsonExports: true,
  esModuleInterop: true,
  isolatedModules: true,
  emitDecoratorMetadata: true,
  experimentalDecorators: true,
  allowSyntheticDefaultImports: true,
  target: 'ES2023',
  incremental: true,
  skipLibCheck: true,
};

const tsconfig = {
  compilerOptions: {
    target: 'es2022',
    lib: ['es2023'],
    module: 'nodenext',
    types: ['node'],
    strict: true,
    // The kit must have types that an application without the optional peers can check.
    skipLibCheck: false,
    experimentalDecorators: true,
    emitDecoratorMetadata: true,
    rootDir: '.',
    outDir: 'dist',
  },
  include: ['src', 'test'],
};

describe.each(['nest-11-tools', 'nest-12-tools'])('the recipes for tests run, with %s, in', (nest) => {
  let home = '';
  beforeAll(async () => {
    home = await installed(nest);
  }, 900_000);

  const NO_OPTIONS: NodeJS.ProcessEnv = process.env;
  const ES_MODULES: NodeJS.ProcessEnv = { ...process.env, NODE_OPTIONS: '--experimental-vm-modules' };

  it.each<Setup>([
    ['Jest, CommonJS, with @swc/jest', 'jest.config.cjs', 'commonjs', NO_OPTIONS],
    ['Jest, ES modules, with @swc/jest', 'jest.esm.config.cjs', 'module', ES_MODULES],
    ...(nest === 'nest-11-tools'
      ? [['Jest, CommonJS, with ts-jest', 'jest.ts-jest.config.cjs', 'commonjs', NO_OPTIONS] as Setup]
      : []),
  ])(
    '%s',
    async (_, config, type, env) => {
      const app = recipes(home, config, '@jest/globals', type);
      const jest = join(home, 'node_modules/jest/bin/jest.js');
      const ran = await run(process.execPath, [jest, '--config', config, '--testTimeout', '60000'], app, 280_000, env);
      expect(ran.code, ran.output).toBe(0);
      expect(ran.output).toContain(`${COUNT} passed, ${COUNT} total`);
    },
    900_000,
  );

  it.each(FORMATS)(
    'node:test, %s',
    async (format, type) => {
      const app = recipes(home, `node-${format}`, 'node:test', type);
      writeFileSync(join(app, 'tsconfig.json'), JSON.stringify(tsconfig));
      await mustRun(process.execPath, [join(home, 'node_modules/typescript/bin/tsc'), '-p', '.'], app, 280_000);
      const specs = readdirSync(join(app, 'dist/test')).filter((name) => name.endsWith('.spec.js'));
      const tests = specs.map((name) => join('dist/test', name));
      const ran = await run(process.execPath, ['--test', '--test-reporter=tap', ...tests], app, 280_000);
      expect(ran.code, ran.output).toBe(0);
      expect(ran.output).toMatch(new RegExp(`^# pass ${COUNT}$`, 'm'));
    },
    900_000,
  );
});

describe("each entry of the package loads in a CommonJS application's", () => {
  let home = '';
  beforeAll(async () => {
    home = await installed('nest-11-tools', PEERS_OF_NEST_11);
  }, 900_000);

  it.each(['jest.config.cjs', 'jest.ts-jest.config.cjs'])(
    'Jest, with %s',
    async (config) => {
      const app = recipes(home, `entries-${config}`, '@jest/globals', 'commonjs');
      writeFileSync(join(app, 'test/entries.spec.ts'), loadTest(ENTRIES.filter((entry) => entry !== KUBERNETES)));
      writeFileSync(join(app, 'test/kubernetes.spec.ts'), loadTest([KUBERNETES]));
      const settings = JSON.stringify(jestSettings('transformIgnorePatterns', '@kubernetes/client-node'));
      writeFileSync(
        join(app, 'kubernetes.config.cjs'),
        `module.exports = { ...require('./${config}'), ...${settings} };`,
      );
      const jest = join(home, 'node_modules/jest/bin/jest.js');
      for (const [file, spec] of [
        [config, 'test/entries.spec.ts'],
        ['kubernetes.config.cjs', 'test/kubernetes.spec.ts'],
      ]) {
        const args = [jest, '--config', file!, '--testTimeout', '60000', spec!];
        const ran = await run(process.execPath, args, app, 280_000);
        expect(ran.code, ran.output).toBe(0);
      }
    },
    900_000,
  );
});
