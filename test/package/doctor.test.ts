import { beforeAll, describe, expect, it } from 'vitest';
import { compile, FORMATS, installed } from './install.js';
import { run } from './run.js';

describe.each(['nest-11', 'nest-12'])('the doctor in an application of %s', (nest) => {
  beforeAll(() => installed(nest), 200_000);

  it.each(FORMATS)('finds the same by npx and in code, and the process ends by itself, in %s', async (_, type) => {
    const app = await compile(await installed(nest), 'doctor', type);
    const ran = await run(process.execPath, ['dist/main.js'], app, 240_000);
    expect(ran, ran.output).toMatchObject({ code: 0 });
    expect(JSON.parse(ran.stdout.trim().split('\n').at(-1)!)).toEqual({
      api: ['no-health-service'],
      cli: ['no-health-service'],
      // With a warning, with an option that makes it no failure, and with one that does not exist.
      statuses: [1, 0, 2],
    });
    expect(ran.lingeredMs).toBeLessThan(1000);
  });
});
