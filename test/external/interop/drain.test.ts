import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { concat, NEVER, of } from 'rxjs';
import { describe, expect, onTestFinished, test } from 'vitest';
import { deferred, type Line } from '../../support/echo/cluster.js';
import { expectNoLeaks } from '../../support/run/leaks.js';
import { type EchoMicroservice, startEcho } from '../../support/server/app.js';
import { builtGo, HAS_GO } from './go-programs.js';
import { ReportingProcess } from './python-process.js';

expectNoLeaks();

const PYTHON = '/usr/bin/python3';
const HAS_PYTHON = spawnSync(PYTHON, ['-c', 'import grpc']).status === 0;
const CALLERS = 4;
const STREAMS = 12;

/** What a client tells of its streams, and at last of its calls. */
interface Report {
  readonly message?: string;
  /** Of the response headers. */
  readonly age?: string | null;
  /** The name of a status; Go writes it in its own way. */
  readonly ended?: string;
  readonly reason?: string | null;
  readonly details?: string;
  readonly ok?: number;
  readonly failed?: readonly string[];
}

interface Language {
  readonly name: string;
  readonly available: boolean;
  readonly command: () => readonly [string, ...string[]];
  readonly unavailable: string;
}

const LANGUAGES: readonly Language[] = [
  {
    name: 'C-core (Python)',
    available: HAS_PYTHON,
    command: () => [PYTHON, '-u', fileURLToPath(new URL('python/drain_client.py', import.meta.url))],
    unavailable: 'UNAVAILABLE',
  },
  { name: 'grpc-go', available: HAS_GO, command: () => [builtGo('drain_client')], unavailable: 'Unavailable' },
];

/** A client in another language, and all that it has told. */
class Peer {
  readonly told: Report[] = [];
  readonly #process: ReportingProcess;

  constructor(language: Language, callers: number, streams: number, health: string, addresses: readonly string[]) {
    const numbers = [callers, streams].map(String);
    this.#process = new ReportingProcess([...language.command(), ...numbers, health, ...addresses]);
    onTestFinished(() => this.#process.kill());
  }

  /** Resolves when it has told so many of these. */
  async until(count: number, which: (report: Report) => boolean): Promise<Report[]> {
    while (this.told.filter(which).length < count) this.told.push(await this.#process.next<Report>());
    return this.told.filter(which);
  }

  /** How its calls went. */
  async end(): Promise<Report> {
    this.#process.closeInput();
    const [last] = await this.until(1, ({ ok }) => ok !== undefined);
    await this.#process.ended();
    return last!;
  }
}

const later = (line: Line): Promise<Line> => new Promise((resolve) => setTimeout(resolve, 20, line));

function busy(backend: EchoMicroservice): EchoMicroservice {
  backend.handlers.say = later;
  backend.handlers.repeat = () => concat(of({ text: backend.address }), NEVER);
  return backend;
}

describe.each(LANGUAGES.filter(({ available }) => available))('a client of $name', (language) => {
  test.each([
    ['without health checks', '-'],
    ['with health checks', 'echo.v1.Echo'],
  ])('%s: a rolling restart fails no call, and ends streams with UNAVAILABLE and "drain"', async (_, health) => {
    const options = { drain: { delay: 200, streamGrace: 300 } };
    const backends = (await Promise.all([1, 2, 3].map(() => startEcho(options)))).map(busy);
    const addresses = backends.map(({ address }) => address);
    const peer = new Peer(language, CALLERS, STREAMS, health, addresses);
    const opened = ({ message }: Report): boolean => message !== undefined;
    await peer.until(STREAMS, opened);

    let moved = 0;
    for (const backend of backends) {
      await backend.close();
      const report = await backend.server.drain();
      expect(report).toMatchObject({ cut: 0 });
      moved += report.streamsMoved;
      const next = busy(await startEcho(options, { port: Number(backend.address.split(':')[1]) }));
      // The next one leaves when this one is back in rotation.
      const back = deferred();
      next.handlers.say = (line) => {
        back.resolve();
        return later(line);
      };
      await back.promise;
    }
    // The first one alone had a third of them.
    expect(moved).toBeGreaterThanOrEqual(STREAMS / 3);
    // Each was opened again.
    await peer.until(STREAMS + moved, opened);
    const ends = await peer.until(moved, ({ ended }) => ended !== undefined);
    const { ok, failed } = await peer.end();
    expect(failed).toEqual([]);
    expect(ok).toBeGreaterThan(100);
    expect(ends).toHaveLength(moved);
    for (const { ended, reason, details } of ends) {
      expect([ended, reason]).toEqual([language.unavailable, 'drain']);
      expect(details).toContain('open the stream again');
    }
  });

  test('reads the age of a stream in its headers, and sees it end with UNAVAILABLE and "max_age"', async () => {
    const { address } = busy(await startEcho({ maxStreamAge: { default: 1000, grace: 0 } }));
    const peer = new Peer(language, 1, 3, '-', [address]);
    const ends = await peer.until(6, ({ ended }) => ended !== undefined);
    for (const { ended, reason } of ends) expect([ended, reason]).toEqual([language.unavailable, 'max_age']);
    for (const { age } of await peer.until(6, ({ message }) => message !== undefined)) {
      expect(Number(age)).toBeGreaterThanOrEqual(900);
      expect(Number(age)).toBeLessThanOrEqual(1100);
    }
    expect(await peer.end()).toMatchObject({ failed: [] });
  });
});
