import { cpSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { freePort } from '../../libs/grpc-lb/src/testing/free-port.js';
import { installed } from './install.js';
import { mustRun } from './run.js';

const EXAMPLES = join(import.meta.dirname, '../../examples');

/** What each of them needs beside Nest and its command-line tool. */
const NEEDED = {
  '@bufbuild/buf': '^1.50.0',
  '@bufbuild/protobuf': '^2.0.0',
  '@kubernetes/client-node': '^1.4.0',
  'grpc-health-check': '^2.1.0',
  'ts-proto': '^2.18.0',
};

/** Runs `npm start` in a copy of an example beside the packed package. Returns the lines that it prints. */
async function start(name: string): Promise<string[]> {
  const home = await installed('nest-12-cli', NEEDED);
  const folder = join(home, `example-${name}`);
  cpSync(join(EXAMPLES, name), folder, {
    recursive: true,
    filter: (path) => !/\/(dist|gen|node_modules)$/.test(path),
  });
  process.env['PORTS'] = [await freePort(), await freePort(), await freePort()].join(',');
  process.env['API_PORT'] = String(await freePort());
  const ran = await mustRun('npm', ['start'], folder, 150_000);
  return ran.stdout.trim().split('\n');
}

const resultIn = (lines: readonly string[]) => JSON.parse(lines.at(-1)!) as Record<string, number>;

function expectShares(shares: Record<string, number>): void {
  const counts = Object.values(shares);
  expect(counts).toHaveLength(3);
  expect(counts.reduce((sum, count) => sum + count)).toBe(60);
  // Ten at a time over idle backends are three or four for each. The first ten may meet one connection.
  for (const count of counts) expect(count).toBeGreaterThanOrEqual(12);
}

describe('the example', () => {
  beforeAll(() => installed('nest-12-cli', NEEDED), 300_000);

  it.each(['kubernetes', 'monorepo'])(
    '%s spreads 60 requests over three backends',
    async (name) => {
      expectShares(resultIn(await start(name)));
    },
    900_000,
  );

  it('ts-proto spreads 60 requests too, from a client that does not load proto-loader', async () => {
    const lines = await start('ts-proto');
    expectShares(resultIn(lines));
    expect(lines.at(-2)).toBe('modules of proto-loader in the client: 0');
  }, 900_000);

  it('streams loses no message in a rolling restart', async () => {
    const { messages, last, faults, backends } = resultIn(await start('streams'));
    expect({ messages, faults }).toEqual({ messages: last, faults: 0 });
    expect(backends).toBeGreaterThanOrEqual(2);
  }, 900_000);

  it('is one of these', () => {
    const folders = readdirSync(EXAMPLES, { withFileTypes: true }).filter((entry) => entry.isDirectory());
    expect(folders.map(({ name }) => name)).toEqual(['kubernetes', 'monorepo', 'streams', 'ts-proto']);
  });
});
