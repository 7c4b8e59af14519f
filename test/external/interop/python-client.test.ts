import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { OpenRcaService } from '../../../libs/grpc-lb/src/server/orca-proto.js';
import { deferred, type Line } from '../../support/echo/cluster.js';
import { expectNoLeaks } from '../../support/run/leaks.js';
import { startEcho } from '../../support/server/app.js';

expectNoLeaks();

// Debian's, whatever other Python comes first in the path.
const PYTHON = '/usr/bin/python3';
const hasGrpc = spawnSync(PYTHON, ['-c', 'import grpc']).status === 0;
if (!hasGrpc) process.stderr.write('skipped: no gRPC for Python here (apt-get install python3-grpcio)\n');

const PROGRAM = fileURLToPath(new URL('client.py', import.meta.url));
const SERVING = 1;
const NOT_SERVING = 2;

interface Told {
  health?: number;
  watch_ended?: string;
  report?: string;
  ok?: number;
  failed?: string;
  end?: { ok: number; failed: string[] };
}

class PythonClient {
  readonly told: Told[] = [];
  readonly #process: ChildProcess;
  #wake: (() => void) | undefined;

  constructor(addresses: readonly string[]) {
    this.#process = spawn(PYTHON, [PROGRAM, ...addresses], { stdio: ['pipe', 'pipe', 'inherit'] });
    onTestFinished(() => void this.#process.kill('SIGKILL'));
    createInterface(this.#process.stdout!).on('line', (line) => {
      this.told.push(JSON.parse(line) as Told);
      this.#wake?.();
    });
  }

  async until<T>(find: (told: Told) => T | undefined): Promise<T> {
    for (;;) {
      const found = this.told.map(find).find((each) => each !== undefined);
      if (found !== undefined) return found;
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  async end(): Promise<{ ok: number; failed: string[] }> {
    this.#process.stdin!.end();
    return this.until(({ end }) => end);
  }
}

test.skipIf(!hasGrpc)(
  'a Python client sees health, load and the drain, and loses no call in a rolling restart',
  async () => {
    const later = (line: Line): Promise<Line> => new Promise((resolve) => setTimeout(resolve, 20, line));
    const options = { drain: { delay: 300 } };
    const backends = await Promise.all([startEcho(options), startEcho(options)]);
    for (const { handlers } of backends) handlers.say = later;
    const client = new PythonClient(backends.map(({ address }) => address));
    await client.until(({ health }) => (health === SERVING ? true : undefined));
    const hex = await client.until(({ report }) => report);
    const report = OpenRcaService['StreamCoreMetrics']!.responseDeserialize(Buffer.from(hex, 'hex'));
    expect(report).toMatchObject({ named_metrics: { in_flight: expect.any(Number) } });
    await client.until(({ ok }) => ok);

    for (const backend of backends) {
      await backend.close();
      const next = await startEcho(options, { port: Number(backend.address.split(':')[1]) });
      // The other one leaves when this one is back in rotation.
      const back = deferred();
      next.handlers.say = (line) => {
        back.resolve();
        return later(line);
      };
      await back.promise;
    }
    expect(await client.until(({ health }) => (health === NOT_SERVING ? health : undefined))).toBe(NOT_SERVING);
    expect(await client.until(({ watch_ended }) => watch_ended)).toBe('UNAVAILABLE');
    const { ok, failed } = await client.end();
    expect(failed).toEqual([]);
    expect(ok).toBeGreaterThan(100);
  },
);
