import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { installed, place } from './install.js';
import { mustRun, run } from './run.js';

/** A CommonJS application of Nest 11 with what such applications are tested and built with. */
let home: string;
let app: string;

beforeAll(async () => {
  home = await installed('nest-11-tools');
  app = place(home, 'tools', 'commonjs', ['app']);
}, 900_000);

describe('a CommonJS application is tested with Jest and', () => {
  it.each(['ts-jest', 'swc-jest'])('%s', async (name) => {
    const jest = join(home, 'node_modules/jest/bin/jest.js');
    const ran = await run(process.execPath, [jest, '--config', `tools/${name}.cjs`], app, 240_000);
    expect(ran.code, ran.output).toBe(0);
    expect(ran.output).toContain('2 passed');
  });
});

describe('a CommonJS application balances calls, built with', () => {
  // The bundlers take what swc has compiled (esbuild does not write the metadata of decorators).
  it.each([
    ['swc', 'file by file'],
    ['webpack', 'all packages in one file'],
    ['esbuild', 'all packages in one file'],
  ])('%s, %s', async (builder) => {
    const built = await mustRun(process.execPath, ['tools/build.cjs', builder], app, 240_000);
    expect(JSON.parse(built.stdout), 'warnings about this package').toEqual([]);
    // It makes 40 calls over two backends, by class and by name.
    const ran = await run(process.execPath, [`${builder}/main.js`], app, 120_000);
    expect(ran.code, ran.output).toBe(0);
    const { byClass, byName } = JSON.parse(ran.stdout.trim().split('\n').at(-1)!) as Record<
      string,
      Record<string, number>
    >;
    expect([byClass, byName].map((calls) => Object.values(calls!))).toEqual([
      [20, 20],
      [20, 20],
    ]);
  });
});
