import { inspect, isDeepStrictEqual } from 'node:util';
import * as fc from 'fast-check';
import { afterEach, describe, expect, test } from 'vitest';
import { FakeClock } from '../../../../../test/support/time/fake-clock.js';
import { addressToString } from '../../core/endpoint.js';
import { seededRandom } from '../../core/random.js';
import { effectiveFileOptions, type FileSourceOptions } from './file-options.js';
import { FileSource } from './file-source.js';
import type { WatchedFile } from './watched-file.js';

// A fixed seed keeps failures reproducible; set FAST_CHECK_SEED to try another one.
fc.configureGlobal({ seed: Number(process.env['FAST_CHECK_SEED'] ?? 1) });

/** When every microtask has run. */
const drained = (): Promise<void> => new Promise(setImmediate);

/** A file that a test writes. */
class FakeFile implements WatchedFile {
  readonly path = '/etc/orders.yaml';
  text: string | undefined;
  trouble: Error | undefined;
  /** If set, delays a requested version or content until it resolves. */
  hold: Promise<void> | undefined;
  /** Called in the middle of the next read. */
  whileRead: (() => void) | undefined;
  reads = 0;
  closed = false;
  #version = 0;
  #changed = (): void => {};

  async watch(changed: () => void): Promise<Error | undefined> {
    this.#changed = changed;
    return this.trouble;
  }

  async version(): Promise<string> {
    await this.hold;
    if (this.text === undefined) throw new Error(`ENOENT: no such file or directory, stat '${this.path}'`);
    return String(this.#version);
  }

  async read(): Promise<{ text: string; versions: [string, string] }> {
    this.reads++;
    const before = await this.version();
    const text = this.text!;
    this.whileRead?.();
    this.whileRead = undefined;
    return { text, versions: [before, String(this.#version)] };
  }

  /** Undefined deletes it. */
  write(text: string | undefined, { silently = false, sameVersion = false } = {}): void {
    this.text = text;
    if (!sameVersion) this.#version++;
    if (!silently) this.#changed();
  }

  close(): void {
    this.closed = true;
  }
}

class Bench {
  readonly clock = new FakeClock(100);
  readonly file = new FakeFile();
  readonly told: unknown[] = [];
  onTold = (): void => {};
  readonly source: FileSource;

  constructor(options: FileSourceOptions = {}, random = (): number => 0.5) {
    this.source = new FileSource(this.file, effectiveFileOptions(options), { clock: this.clock, random });
  }

  start(): void {
    const tell = (what: unknown): void => {
      this.told.push(what);
      this.onTold();
    };
    this.source.start({
      onEndpoints: (endpoints, answer) => {
        expect(answer).toEqual({ authoritative: true });
        tell(endpoints.map(({ address }) => addressToString(address)));
      },
      onError: (error) => tell(error.message),
      onWarning: (warning) => tell({ warning }),
    });
    expect(this.told).toEqual([]);
  }

  /** Advances time, and runs whatever is due before advancing further. */
  async pass(ms: number): Promise<void> {
    const end = this.clock.now() + ms;
    for (;;) {
      await drained();
      const next = Math.min(this.clock.nextIn ?? Infinity, end - this.clock.now());
      if (this.clock.now() + next >= end && this.clock.nextIn !== next) break;
      this.clock.advance(next);
      if (this.clock.now() >= end && this.clock.nextIn !== 0) break;
    }
    this.clock.advance(end - this.clock.now());
    await drained();
  }
}

const benches: Bench[] = [];
async function bench(text?: string, options?: FileSourceOptions): Promise<Bench> {
  const run = new Bench(options);
  benches.push(run);
  run.file.text = text;
  run.start();
  await run.pass(30);
  return run;
}

afterEach(() => {
  for (const { source, clock, file } of benches.splice(0)) {
    source.stop();
    expect({ timers: clock.pendingTimers, closed: file.closed }).toEqual({ timers: 0, closed: true });
  }
});

describe('file:', () => {
  test('reads the file at the start, once it has stopped changing', async () => {
    const { told } = await bench('[a:1, b:1]');
    expect(told).toEqual([['a:1', 'b:1']]);
  });

  test('a change is reported 40 ms after it was seen', async () => {
    const run = await bench('[a:1]');
    run.file.write('[b:1]');
    await run.pass(39);
    expect(run.told).toHaveLength(1);
    await run.pass(1);
    expect(run.told).toEqual([['a:1'], ['b:1']]);
  });

  test('a file that is still being written is ignored: truncated, then filled piece by piece', async () => {
    const run = await bench('[a:1]');
    for (const text of ['', '- b', '- b:1\n', '- b:1\n- c', '- b:1\n- c:1\n']) {
      run.file.write(text);
      await run.pass(25);
    }
    expect(run.told).toEqual([['a:1']]);
    await run.pass(50);
    expect(run.told).toEqual([['a:1'], ['b:1', 'c:1']]);
  });

  test('a file that changes while it is read is read again', async () => {
    const run = await bench('[a:1]');
    run.file.whileRead = () => run.file.write('[c:1]');
    run.file.write('[b:1]');
    await run.pass(200);
    expect(run.told).toEqual([['a:1'], ['c:1']]);
  });

  test('a file that is briefly missing was replaced, and one that stays missing is reported', async () => {
    const run = await bench('[a:1]');
    run.file.write(undefined);
    await run.pass(25);
    run.file.write('[b:1]');
    await run.pass(100);
    expect(run.told).toEqual([['a:1'], ['b:1']]);
    run.file.write(undefined);
    await run.pass(100);
    expect(run.told[2]).toBe("ENOENT: no such file or directory, stat '/etc/orders.yaml'");
    run.file.write('[b:1]');
    await run.pass(100);
    expect(run.told.slice(3)).toEqual([['b:1']]);
  });

  test('a file that is missing at the start is reported, and used when it appears', async () => {
    const run = await bench();
    expect(run.told).toEqual(["ENOENT: no such file or directory, stat '/etc/orders.yaml'"]);
    run.file.write('[a:1]');
    await run.pass(40);
    expect(run.told.at(-1)).toEqual(['a:1']);
  });

  test('invalid content is reported, and the previous content is delivered again after it', async () => {
    const run = await bench('[a:1]');
    run.file.write('{');
    await run.pass(40);
    run.file.write('[a:1]');
    await run.pass(40);
    expect(run.told).toEqual([['a:1'], expect.stringMatching(/^\/etc\/orders.yaml is not YAML: /), ['a:1']]);
  });

  test('a touch delivers nothing', async () => {
    const run = await bench('[a:1]');
    run.file.write('[a:1]');
    await run.pass(100);
    expect(run.told).toHaveLength(1);
  });

  test('an empty list is authoritative', async () => {
    const run = await bench('[a:1]');
    run.file.write('[]');
    await run.pass(40);
    expect(run.told).toEqual([['a:1'], []]);
  });

  test('bad entries cause a warning', async () => {
    const { told } = await bench('[a:1, b:0]');
    expect(told).toEqual([['a:1'], { warning: expect.stringMatching(/^\/etc\/orders.yaml entry 2 \(line 1\)/) }]);
  });

  test('a change without a watch event is seen by the next poll', async () => {
    const run = await bench('[a:1]');
    run.file.write('[b:1]', { silently: true });
    await run.pass(4969);
    expect(run.told).toHaveLength(1);
    await run.pass(31);
    expect(run.told.at(-1)).toEqual(['b:1']);
  });

  test('a second change within the timestamp resolution of the file system is seen by the next poll', async () => {
    const run = await bench('[a:1]');
    run.file.write('[b:1]');
    await run.pass(40);
    run.file.write('[c:1]', { silently: true, sameVersion: true });
    await run.pass(5000);
    expect(run.told.at(-1)).toEqual(['c:1']);
  });

  test('a file that does not change is read twice, and no more', async () => {
    const run = await bench('[a:1]');
    await run.pass(60_000);
    expect(run.file.reads).toBe(2);
  });

  test('a directory that cannot be watched causes a warning', async () => {
    const run = new Bench();
    benches.push(run);
    run.file.text = '[a:1]';
    run.file.trouble = new Error('ENOSPC');
    run.start();
    await run.pass(30);
    expect(run.told).toEqual([
      { warning: '/etc/orders.yaml cannot be watched, so changes are noticed up to 5 s later: ENOSPC' },
      ['a:1'],
    ]);
  });

  test('a file that is written all the time is reported, and used when the writes end', async () => {
    const run = await bench('[a:1]');
    for (let i = 0; i < 1000; i++) {
      run.file.write(`[a:1, b:${i + 1}]`);
      await run.pass(20);
    }
    expect(run.told).toEqual([['a:1'], expect.stringContaining('another process keeps writing it')]);
    await run.pass(100);
    expect(run.told.at(-1)).toEqual(['a:1', 'b:1000']);
  });

  test('a file system that does not respond is reported, and the list is delivered again when it does, even unchanged', async () => {
    const run = await bench('[a:1]');
    await run.pass(20_000);
    let release = (): void => {};
    run.file.hold = new Promise((resolve) => (release = resolve));
    await run.pass(20_000);
    expect(run.told).toEqual([['a:1'], expect.stringContaining('its file system does not respond')]);
    release();
    await run.pass(10_000);
    expect(run.told.at(-1)).toEqual(['a:1']);
    expect(run.told).toHaveLength(3);
  });

  test('refresh reads at once, at most once a second', async () => {
    const run = await bench('[a:1]');
    run.file.write('[b:1]', { silently: true });
    run.source.refresh();
    run.source.refresh();
    await run.pass(969);
    expect(run.told).toHaveLength(1);
    await run.pass(31);
    expect(run.told.at(-1)).toEqual(['b:1']);
  });

  test('refresh does not postpone a read that is due sooner', async () => {
    const run = await bench('[a:1]', { pollInterval: 200 });
    run.file.write('[b:1]', { silently: true });
    run.source.refresh();
    run.source.refresh();
    // At most the interval and a fifth of it after the first look, and the time in which the file must not change.
    await run.pass(240);
    expect(run.told.at(-1)).toEqual(['b:1']);
  });

  describe('after stop', () => {
    test('nothing is reported, whatever the source was doing', async () => {
      const run = await bench('[a:1]');
      run.file.write('[b:1]');
      await run.pass(20);
      run.source.stop();
      expect(run.clock.pendingTimers).toBe(0);
      run.file.write('[c:1]');
      run.source.refresh();
      await run.pass(60_000);
      expect(run.told).toEqual([['a:1']]);
    });

    test('nothing is reported when the file system answers late', async () => {
      const run = await bench('[a:1]');
      let release = (): void => {};
      run.file.hold = new Promise((resolve) => (release = resolve));
      run.file.write('[b:1]');
      await run.pass(20);
      run.source.stop();
      release();
      await run.pass(1000);
      expect(run.told).toEqual([['a:1']]);
    });

    test('called by the listener nothing more is reported', async () => {
      const run = await bench('[a:1]');
      run.onTold = () => run.source.stop();
      run.file.write('[b:1, c:0]');
      await run.pass(1000);
      expect(run.told).toEqual([['a:1'], ['b:1']]);
    });
  });
});

type Step =
  | { readonly kind: 'pass'; readonly ms: number }
  | { readonly kind: 'write'; readonly what: 'good' | 'bad' | 'half' | 'empty' | 'nothing'; readonly silently: boolean }
  | { readonly kind: 'refresh' | 'rest' };

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ kind: fc.constant('pass' as const), ms: fc.integer({ min: 0, max: 120 }) }),
  fc.record({
    kind: fc.constant('write' as const),
    what: fc.constantFrom('good', 'bad', 'half', 'empty', 'nothing'),
    silently: fc.boolean(),
  }),
  fc.record({ kind: fc.constantFrom('refresh', 'rest') }),
);

test('whatever happens to a file, only settled content is reported, and the list converges to the last good content', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 30 }), fc.nat(), async (steps, seed) => {
      const run = new Bench({}, seededRandom(seed));
      let [port, since, good] = [0, run.clock.now(), undefined as string[] | undefined];
      let list: unknown;
      const violations: string[] = [];
      run.onTold = () => {
        const last = run.told.at(-1);
        if (!Array.isArray(last)) return;
        if (run.clock.now() - since < 30) violations.push(`${JSON.stringify(last)} was told too early`);
        list = last;
      };
      run.start();
      for (const next of [...steps, { kind: 'rest' } as const]) {
        if (next.kind === 'pass') await run.pass(next.ms);
        else if (next.kind === 'refresh') run.source.refresh();
        else if (next.kind === 'write') {
          const [old, recent] = [++port, ++port];
          const texts = {
            good: `- a:${old}\n- b:${recent}\n`,
            half: `- a:${old}\n- b`,
            bad: '{',
            empty: '[]',
            nothing: undefined,
          };
          since = run.clock.now();
          const lists = { good: [`a:${old}`, `b:${recent}`], half: [`a:${old}`], empty: [], bad: undefined };
          good = next.what === 'nothing' ? undefined : lists[next.what];
          run.file.write(texts[next.what], next);
        } else {
          // Two polls with their jitter, and the time to settle.
          await run.pass(12_200);
          const failing = typeof run.told.at(-1) === 'string';
          const [found, right] = [
            { list, failing },
            { list: good ?? list, failing: good === undefined },
          ];
          if (!isDeepStrictEqual(found, right)) violations.push(`${inspect(found)}, not ${inspect(right)}`);
        }
        expect(run.clock.pendingTimers).toBeGreaterThan(0);
      }
      run.source.stop();
      expect({ violations, timers: run.clock.pendingTimers }).toEqual({ violations: [], timers: 0 });
    }),
    { numRuns: 150 },
  );
});
