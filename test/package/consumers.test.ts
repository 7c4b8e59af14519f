import { beforeAll, describe, expect, inject, it } from 'vitest';
import { compile, FORMATS, installed } from './install.js';
import { run } from './run.js';

/** What the fixture `app` prints. */
interface Report {
  backends: string[];
  /** Calls by backend. */
  byClass: Record<string, number>;
  byName: Record<string, number>;
}

// Without the optional peers (Nest 11 has just @nestjs/config), so an import or a type of one in the main entry would be
// found missing.
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
        const ran = await run(node.path!, ['dist/main.js'], app, 120_000);
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

describe('in an application whose tsconfig is that of the starter of Nest 10 and 11', () => {
  beforeAll(() => installed('nest-11'), 200_000);

  it('compiles with "module": "commonjs", and balances the calls of a ClientsModule that it took from here', async () => {
    const app = await compile(await installed('nest-11'), 'classic', 'commonjs', ['app']);
    const ran = await run(process.execPath, ['dist/main.js'], app, 120_000);
    expect(ran, ran.output).toMatchObject({ code: 0 });
    const { byClass, byName } = JSON.parse(ran.stdout.trim().split('\n').at(-1)!) as Report;
    for (const calls of [byClass, byName]) expect(Object.values(calls)).toEqual([20, 20]);
  });
});

describe('with the optional @nestjs/config', () => {
  beforeAll(() => installed('nest-11'), 200_000);

  it.each(FORMATS)('takes its configuration from the environment, in %s', async (_, type) => {
    const app = await compile(await installed('nest-11'), 'config', type);
    const ran = await run(process.execPath, ['dist/main.js'], app, 120_000);
    expect(ran, ran.output).toMatchObject({ code: 0 });
    expect(JSON.parse(ran.stdout.trim().split('\n').at(-1)!)).toEqual({ name: 'round_robin' });
  });
});
