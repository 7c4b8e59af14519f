import { beforeEach, describe, expect, test } from 'vitest';
import { inDays, TestAuthority } from '../../../../test/support/peers/certificates.js';
import { FakeClock } from '../../../../test/support/time/fake-clock.js';
import { loadTls } from './loaded-tls.js';
import type { PemReader, PemTexts } from './material.js';
import { TlsFault } from './pem.js';
import { ProvidedPem } from './provided-pem.js';
import { type TlsEvent, TlsSource } from './tls-source.js';

const NONE: PemTexts = { ca: undefined, cert: undefined, key: undefined };
const ANY = { needsOwn: false, needsCa: false, minVersion: 'TLSv1.2' } as const;

/** Certificates as a test puts them. */
class FakeFiles implements PemReader {
  texts: PemTexts | TlsFault = NONE;
  reads = 0;
  closed = false;
  #changed = (): void => {};

  read(): Promise<PemTexts> {
    this.reads++;
    return this.texts instanceof TlsFault ? Promise.reject(this.texts) : Promise.resolve(this.texts);
  }

  watch(changed: () => void): Promise<undefined> {
    this.#changed = changed;
    return Promise.resolve(undefined);
  }

  put(texts: PemTexts | TlsFault): void {
    this.texts = texts;
    this.#changed();
  }

  close(): void {
    this.closed = true;
  }
}

/** Lets what is already resolved run. */
const settle = async (): Promise<void> => {
  for (let i = 0; i < 20; i++) await Promise.resolve();
};

describe('a source of certificates', () => {
  const ca = new TestAuthority();
  const [one, two] = [1, 2].map((i) => ({ ...NONE, ...ca.issue({ names: [`n${i}`] }) }));

  let clock: FakeClock;
  let files: FakeFiles;
  let events: TlsEvent[];
  let epoch: number;
  beforeEach(() => {
    clock = new FakeClock();
    files = new FakeFiles();
    events = [];
    epoch = Date.now();
  });

  const open = (reader: PemReader = files, expiryWarning?: number): TlsSource =>
    new TlsSource(
      reader,
      { ...ANY, refreshInterval: 30_000, expiryWarning, textOf: ({ part, message }) => `tls.${part} ${message}` },
      {
        clock,
        random: () => 0.5,
        epoch: () => epoch + clock.now(),
        listener: (event) => events.push(event),
        outside: (action) => action(),
      },
    );
  const started = async (): Promise<TlsSource> => {
    files.texts = one!;
    const source = open();
    source.begin(loadTls(one!, ANY, epoch));
    source.start();
    await settle();
    return source;
  };
  const pass = async (ms: number): Promise<void> => {
    clock.advance(ms);
    await settle();
  };

  test('takes a change when it is reported, once for several reports', async () => {
    const source = await started();
    const { reads } = files;
    files.put(two!);
    files.put(two!);
    await pass(50);
    expect(files.reads).toBe(reads + 1);
    expect(source).toMatchObject({ rotations: 1, error: null });
    expect(events).toMatchObject([{ type: 'rotated', first: false, loaded: { own: { name: 'n2' } } }]);
    source.stop();
  });

  test('finds a change that is not reported', async () => {
    const source = await started();
    files.texts = two!;
    await pass(29_000);
    expect(source.rotations).toBe(0);
    await pass(1000);
    expect(source.rotations).toBe(1);
    source.stop();
  });

  test('keeps the last good ones, and reports a fault once, if it lasts for a second', async () => {
    const source = await started();
    files.put({ ...two!, key: one!.key });
    await pass(50);
    files.put({ ...two!, key: one!.key });
    await pass(900);
    expect(events).toEqual([]);
    await pass(1000);
    expect(events).toMatchObject([{ type: 'rejected', reason: expect.stringMatching(/^tls.key does not belong/) }]);
    expect(source).toMatchObject({ rejections: 1, rotations: 0, current: { own: { name: 'n1' } } });
    await pass(120_000);
    expect(events).toHaveLength(1);
    files.put(two!);
    await pass(50);
    expect(source).toMatchObject({ error: null, current: { own: { name: 'n2' } } });
    source.stop();
  });

  test('does not report a pair that does not fit for a moment', async () => {
    const source = await started();
    files.put({ ...two!, key: one!.key });
    await pass(50);
    files.put(two!);
    await pass(2000);
    expect(events).toMatchObject([{ type: 'rotated' }]);
    source.stop();
  });

  test('says that what was broken is good again, even if it is what was there before', async () => {
    const source = await started();
    files.put(new TlsFault('cert', 'is gone'));
    await pass(50);
    await pass(1000);
    expect(source.error).toBe('tls.cert is gone');
    files.put(one!);
    await pass(50);
    expect(source).toMatchObject({ error: null, rotations: 0 });
    source.stop();
  });

  test('takes certificates when they become valid', async () => {
    const source = await started();
    const later = { ...NONE, ...ca.issue({ names: ['later'], from: inDays(1 / 24), until: inDays(5) }) };
    files.put(later);
    await pass(50);
    await pass(1000);
    expect(source.error).toMatch(/is not valid before/);
    await pass(3_600_000);
    await pass(60_000);
    expect(source.current!.own!.name).toBe('later');
    source.stop();
  });

  test('warns once before the end, and once after it, and keeps what it has', async () => {
    const source = await started();
    const left = source.until! - epoch;
    await pass(left - 0.15 * 6 * 86_400_000);
    expect(source.expiring).toBe(true);
    await pass(60_000);
    expect(events).toMatchObject([{ type: 'expiring', expired: false, text: expect.stringMatching(/n1 expires in/) }]);
    await pass(left);
    await pass(60_000);
    expect(events).toHaveLength(2);
    expect(events[1]).toMatchObject({ expired: true, text: expect.stringMatching(/n1 expired/) });
    expect(source).toMatchObject({ error: null, current: { own: { name: 'n1' } } });
    source.stop();
  });

  test('looks at files that change all the time about once a second', async () => {
    const source = await started();
    const before = files.reads;
    for (let i = 0; i < 10_000; i += 10) {
      files.put(i % 20 === 0 ? one! : two!);
      await pass(10);
    }
    // Twenty at once, and then at most two a second.
    expect(files.reads - before).toBeGreaterThan(20);
    expect(files.reads - before).toBeLessThan(45);
    files.put(one!);
    await pass(1000);
    expect(source.current!.own!.name).toBe('n1');
    source.stop();
    expect(clock.pendingTimers).toBe(0);
  });

  test('leaves no timer and no watch', async () => {
    const source = await started();
    files.put(new TlsFault('cert', 'is gone'));
    await pass(50);
    source.stop();
    expect(clock.pendingTimers).toBe(0);
    expect(files.closed).toBe(true);
    source.start();
    expect(clock.pendingTimers).toBe(0);
  });

  describe('of a provider', () => {
    test('waits for the first answer, and asks again soon if it fails', async () => {
      let answer: () => object = () => {
        throw new Error('vault is sealed');
      };
      const source = open(new ProvidedPem(() => answer() as never, files, clock));
      const ready = source.ready();
      await settle();
      await ready;
      expect(source).toMatchObject({ current: undefined, error: 'tls.provider failed: vault is sealed' });
      expect(events).toMatchObject([{ type: 'rejected' }]);
      answer = () => ({ cert: one!.cert, key: Buffer.from(one!.key!) });
      await pass(1000);
      await settle();
      expect(source).toMatchObject({ error: null, rotations: 0, current: { own: { name: 'n1' } } });
      source.stop();
    });

    test('is not asked again because something has changed beside the files of its CAs, but then as usual', async () => {
      let asked = 0;
      const provider = (): never => {
        asked++;
        return { cert: one!.cert, key: one!.key } as never;
      };
      const source = open(new ProvidedPem(provider, files, clock));
      void source.ready();
      await settle();
      for (let i = 0; i < 5; i++) {
        files.put(NONE);
        await pass(50);
      }
      expect(asked).toBe(1);
      files.put({ ...NONE, ca: ca.cert });
      await pass(50);
      expect(source).toMatchObject({ error: null, current: { ca: { count: 1 }, own: { name: 'n1' } } });
      expect(asked).toBe(1);
      await pass(30_000);
      expect(asked).toBe(2);
      source.stop();
    });

    test('gives up one that does not answer', async () => {
      let signal: AbortSignal | undefined;
      const source = open(
        new ProvidedPem(
          (given) => {
            signal = given;
            return new Promise(() => {});
          },
          files,
          clock,
        ),
      );
      void source.ready();
      await settle();
      await pass(10_000);
      expect(source.error).toBe('tls.provider has not answered within 10000 ms; check what it waits for');
      expect(signal!.aborted).toBe(true);
      source.stop();
      expect(clock.pendingTimers).toBe(0);
    });

    test.each<[string, () => never, string]>([
      [
        'an object without a prototype',
        () => {
          // eslint-disable-next-line typescript/only-throw-error -- Users do.
          throw Object.create(null);
        },
        'tls.provider failed: an error without a message',
      ],
      [
        'an error whose message is an object',
        () => {
          throw Object.assign(new Error(), { message: { code: 7 } });
        },
        'tls.provider failed: [object Object]',
      ],
      [
        'an error that quotes a key',
        () => {
          throw new Error(`cannot parse "${one!.key}"`);
        },
        'tls.provider failed: cannot parse "(PEM, not shown)',
      ],
    ])('that throws %s is asked again', async (_, fails, error) => {
      let answer: () => object = fails;
      const source = open(new ProvidedPem(() => answer() as never, files, clock));
      void source.ready();
      await settle();
      expect(source.error).toBe(error);
      answer = () => one!;
      await pass(1000);
      expect(source).toMatchObject({ error: null, current: { own: { name: 'n1' } } });
      source.stop();
    });

    test('leaves no timer behind one that never answers, and does not ask after the end', async () => {
      let asked = 0;
      let answer: (value: unknown) => void = () => {};
      const never = (): never => {
        asked++;
        return new Promise((resolve) => (answer = resolve)) as never;
      };
      const source = open(new ProvidedPem(never, files, clock));
      void source.ready();
      await settle();
      source.stop();
      expect(clock.pendingTimers).toBe(0);
      answer(one);
      await settle();
      expect(source.current).toBeUndefined();
      expect(asked).toBe(1);

      const early = new ProvidedPem(never, files, clock);
      const read = early.read();
      early.close();
      await expect(read).rejects.toThrow('was given up, because its user closes');
      expect(asked).toBe(1);
      expect(clock.pendingTimers).toBe(0);
    });

    test.each([
      [undefined, /returned no object/],
      [{}, /returned neither ca nor cert and key/],
      [{ cert: 7, key: 'x' }, /returned a cert that is neither text nor bytes/],
      [{ cert: 'x' }, /tls.key is missing/],
    ])('refuses %j', async (answer, why) => {
      const source = open(new ProvidedPem(() => answer as never, files, clock));
      void source.ready();
      await settle();
      expect(source.error).toMatch(why);
      source.stop();
    });
  });
});
