import { promises as dns } from 'node:dns';
import { afterEach, expect, onTestFinished, test, vi } from 'vitest';
import { FakeClock } from '../../../../../test/support/time/fake-clock.js';
import { parseTarget } from '../target.js';
import { dnsSourceFactory } from './dns-source-factory.js';
import { systemLookup } from './system-lookup.js';

const OPTIONS = { all: true, order: 'verbatim' } as const;
const ADDRESS = [{ address: '10.0.0.1', family: 4 }];

afterEach(() => void vi.restoreAllMocks());

/** The system's resolver, which answers when the test says so. */
function system() {
  const answers: { resolve: (value: never) => void; reject: (error: Error) => void }[] = [];
  const lookup = vi.spyOn(dns, 'lookup');
  lookup.mockImplementation(() => new Promise((resolve, reject) => answers.push({ resolve, reject })));
  return { answers, answer: (i: number) => answers[i]!.resolve(ADDRESS as never) };
}

const drained = (): Promise<void> => new Promise(setImmediate);

test('while the system is silent about a name, look-ups do not pile up, and its late answer is used', async () => {
  const { answers, answer } = system();
  const clock = new FakeClock();
  const source = dnsSourceFactory({ kubernetesServiceHost: false })(parseTarget('dns:///silent:1'), {
    clock,
    random: () => 0.5,
  });
  onTestFinished(() => source.stop());
  const told: string[] = [];
  source.start({
    onEndpoints: (endpoints) => told.push(`${endpoints.length} endpoint`),
    onError: ({ message }) => told.push(message),
    onWarning: () => {},
  });
  for (let second = 0; second < 120; second++) {
    clock.advance(1000);
    await drained();
  }
  expect(told.length).toBeGreaterThan(3);
  expect(answers.length).toBe(1);
  answer(0);
  await drained();
  // The one that is in flight by now.
  for (let second = 0; second < 15; second++) {
    clock.advance(1000);
    await drained();
    if (answers.length > 1) answer(1);
    await drained();
  }
  expect(told).toContain('1 endpoint');
});

test('a look-up that has ended, successfully or not, is followed by a new one', async () => {
  const { answers, answer } = system();
  const first = systemLookup('orders', OPTIONS);
  expect(systemLookup('orders', OPTIONS)).toBe(first);
  answers[0]!.reject(new Error('ENOTFOUND'));
  await expect(first).rejects.toThrow('ENOTFOUND');
  const second = systemLookup('orders', OPTIONS);
  answer(1);
  expect(await second).toEqual(ADDRESS);
  void systemLookup('orders', OPTIONS);
  void systemLookup('payments', OPTIONS);
  expect(answers.length).toBe(4);
  answer(2);
  answer(3);
});
