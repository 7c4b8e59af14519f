import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, inject, it } from 'vitest';
import { installed, place } from './install.js';
import { mustRun, run } from './run.js';

const VERSIONS = ['5.4', '5.5', '5.6', '5.7', '5.8', '5.9', '6.0'];
/** Before, a CommonJS module could not import an ES module as far as TypeScript knew (TS1479). */
const FIRST_WITH_COMMONJS = VERSIONS.indexOf('5.8');

const compilers = join(inject('directory'), 'typescript');

beforeAll(async () => {
  const dependencies = Object.fromEntries(VERSIONS.map((version) => [`ts-${version}`, `npm:typescript@~${version}.0`]));
  mkdirSync(compilers);
  writeFileSync(join(compilers, 'package.json'), JSON.stringify({ private: true, dependencies }));
  await mustRun('npm', ['install', '--no-audit', '--no-fund'], compilers, 200_000);
}, 900_000);

// skipLibCheck is off in the fixture, so the declarations of the package and of its peers are checked as well.
describe.each([
  ['nest-12', 'module', VERSIONS],
  ['nest-11', 'commonjs', VERSIONS.slice(FIRST_WITH_COMMONJS)],
])('an application of %s, of type %s, compiles with TypeScript', (nest, type, versions) => {
  let app = '';
  beforeAll(async () => {
    app = place(await installed(nest), 'app', type);
  }, 900_000);

  it.each(versions)('%s', async (version) => {
    const tsc = join(compilers, `node_modules/ts-${version}/bin/tsc`);
    const ran = await run(process.execPath, [tsc, '-p', '.', '--noEmit'], app, 240_000);
    expect(ran.code, ran.output).toBe(0);
  });
});
