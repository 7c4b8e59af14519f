import { cpSync, readdirSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { once } from 'node:events';
import { beforeAll, describe, expect, it } from 'vitest';
import { installed } from './install.js';
import { mustRun } from './run.js';

const EXAMPLES = join(import.meta.dirname, '../../examples');

/** What each of them needs beside Nest and its command-line tool. */
const NEEDED = { '@kubernetes/client-node': '^1.4.0', 'grpc-health-check': '^2.1.0' };

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** Runs `npm start` in a copy of an example beside the packed package, and reads the last line that it prints. */
async function start(name: string): Promise<Record<string, number>> {
  const home = await installed('nest-12-cli', NEEDED);
  const folder = join(home, `example-${name}`);
  cpSync(join(EXAMPLES, name), folder, {
    recursive: true,
    filter: (path) => !/\/(dist|node_modules)$/.test(path),
  });
  process.env['PORTS'] = [await freePort(), await freePort(), await freePort()].join(',');
  process.env['API_PORT'] = String(await freePort());
  const ran = await mustRun('npm', ['start'], folder, 150_000);
  return JSON.parse(ran.stdout.trim().split('\n').at(-1)!) as Record<string, number>;
}

describe('the example', () => {
  beforeAll(() => installed('nest-12-cli', NEEDED), 300_000);

  it.each(['kubernetes', 'monorepo'])(
    '%s spreads 60 requests over three backends',
    async (name) => {
      const counts = Object.values(await start(name));
      expect(counts).toHaveLength(3);
      expect(counts.reduce((sum, count) => sum + count)).toBe(60);
      // Ten at a time over idle backends are three or four for each. The first ten may meet one connection.
      for (const count of counts) expect(count).toBeGreaterThanOrEqual(12);
    },
    160_000,
  );

  it('streams loses no message in a rolling restart', async () => {
    const { messages, last, faults, backends } = await start('streams');
    expect({ messages, faults }).toEqual({ messages: last, faults: 0 });
    expect(backends).toBeGreaterThanOrEqual(2);
  }, 160_000);

  it('is one of these', () => {
    const folders = readdirSync(EXAMPLES, { withFileTypes: true }).filter((entry) => entry.isDirectory());
    expect(folders.map(({ name }) => name)).toEqual(['kubernetes', 'monorepo', 'streams']);
  });
});
