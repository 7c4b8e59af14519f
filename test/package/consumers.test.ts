import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, inject, it } from 'vitest';
import { mustRun, run } from './run.js';

const directory = inject('directory');

const FORMATS = [
  ['ESM', 'module'],
  ['CommonJS', 'commonjs'],
] as const;

/** What the fixture `app` prints. */
interface Report {
  backends: string[];
  /** Calls by backend. */
  byClass: Record<string, number>;
  byName: Record<string, number>;
}

const installs = new Map<string, Promise<string>>();

/** The folder of an empty Nest application with the tarball installed beside its dependencies. */
function installed(nest: string): Promise<string> {
  const home = installs.get(nest) ?? install(join(directory, nest));
  installs.set(nest, home);
  return home;
}

async function install(home: string): Promise<string> {
  const manifest = JSON.parse(readFileSync(join(home, 'package.json'), 'utf8')) as { dependencies: object };
  const dependencies = { ...manifest.dependencies, 'nestjs-grpc-lb': `file:${inject('tarball')}` };
  writeFileSync(join(home, 'package.json'), JSON.stringify({ ...manifest, dependencies }));
  await mustRun('npm', ['install', '--no-audit', '--no-fund'], home, 180_000);
  return home;
}

/** Puts a fixture below the installed packages, and compiles it with their TypeScript. Returns its folder. */
async function compile(home: string, fixture: string, type: string): Promise<string> {
  const app = join(home, `${fixture}-${type}`);
  cpSync(join(directory, fixture), app, { recursive: true });
  writeFileSync(join(app, 'package.json'), JSON.stringify({ private: true, type }));
  await mustRun(process.execPath, [join(home, 'node_modules/typescript/bin/tsc'), '-p', '.'], app, 60_000);
  return app;
}

// Nest 12 comes without @nestjs/config here, so an import or a type of it in the main entry would be found missing.
describe.each(['nest-12', 'nest-11'])('in an empty application of %s', (nest) => {
  beforeAll(() => installed(nest), 200_000);

  describe.each(FORMATS)('in %s', (_, type) => {
    let app: string | undefined;

    it('compiles, with the declarations of all packages checked', async () => {
      app = await compile(await installed(nest), 'app', type);
      expect(app).toContain(nest);
    });

    for (const node of inject('nodes')) {
      it.skipIf(node.path === undefined)(`balances calls, and ends by itself, on ${node.label}`, async () => {
        if (app === undefined) throw new Error('it did not compile');
        const ran = await run(node.path!, ['dist/main.js'], app, 20_000);
        expect(ran, ran.output).toMatchObject({ code: 0 });
        const { backends, byClass, byName } = JSON.parse(ran.stdout.trim().split('\n').at(-1)!) as Report;
        for (const calls of [byClass, byName]) {
          expect(Object.keys(calls).toSorted()).toEqual(backends.toSorted());
          const counts = Object.values(calls);
          expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1);
        }
        expect(ran.lingeredMs).toBeLessThan(1000);
      });
    }
  });
});

describe('with the optional @nestjs/config', () => {
  beforeAll(() => installed('nest-11'), 200_000);

  it.each(FORMATS)('takes its configuration from the environment, in %s', async (_, type) => {
    const app = await compile(await installed('nest-11'), 'config', type);
    const ran = await run(process.execPath, ['dist/main.js'], app, 20_000);
    expect(ran, ran.output).toMatchObject({ code: 0 });
    expect(JSON.parse(ran.stdout.trim())).toEqual({ name: 'round_robin' });
  });
});
