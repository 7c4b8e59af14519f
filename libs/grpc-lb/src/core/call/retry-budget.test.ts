import { describe, expect, test } from 'vitest';
import { FakeClock } from '../../../../../test/support/time/fake-clock.js';
import { RetryBudget } from './retry-budget.js';

class Client {
  readonly clock = new FakeClock();
  readonly budget: RetryBudget;

  constructor(ratio: number, minPerSecond: number) {
    this.budget = new RetryBudget(this.clock, ratio, minPerSecond);
  }

  call(times: number): void {
    for (let i = 0; i < times; i++) this.budget.called();
  }

  /** How many retries it grants, one after the other, of at most a million. */
  get grants(): number {
    let granted = 0;
    while (granted < 1e6 && this.budget.take()) granted++;
    return granted;
  }
}

describe('the retry budget', () => {
  test('grants a share of the calls, and a minimum for clients with few', () => {
    const busy = new Client(0.2, 0);
    busy.call(99);
    expect(busy.grants).toBe(19);
    busy.call(1);
    expect(busy.grants).toBe(1);

    const quiet = new Client(0.2, 10);
    expect(quiet.grants).toBe(100);
    quiet.call(50);
    expect(quiet.grants).toBe(10);
  });

  test('grants nothing to a client without calls and without a minimum', () => {
    expect(new Client(0.2, 0).grants).toBe(0);
    const none = new Client(0, 0);
    none.call(1000);
    expect(none.grants).toBe(0);
  });

  test('counts the calls and the retries of the last ten seconds', () => {
    const client = new Client(0.5, 0);
    client.call(10);
    client.clock.advance(4000);
    client.call(20);
    expect(client.grants).toBe(15);
    client.clock.advance(5999);
    expect(client.grants).toBe(0);
    // The first calls have left the window, but not the retries.
    client.clock.advance(1);
    expect(client.grants).toBe(0);
    client.call(20);
    expect(client.grants).toBe(5);
    // The retries leave it with the calls of the same second.
    client.clock.advance(4000);
    expect(client.grants).toBe(5);
  });

  test('forgets everything in a pause, however long', () => {
    for (const pause of [10_000, 11_500, 3_600_000]) {
      const client = new Client(1, 0);
      client.call(30);
      expect(client.grants).toBe(30);
      client.clock.advance(pause);
      expect(client.grants).toBe(0);
      client.call(7);
      expect(client.grants).toBe(7);
    }
  });

  test('that becomes smaller grants nothing until enough of the past is forgotten, and nothing is owed then', () => {
    const client = new Client(1, 0);
    client.call(100);
    expect(client.grants).toBe(100);
    client.budget.ratio = 0.1;
    client.call(100);
    expect(client.grants).toBe(0);
    client.clock.advance(10_000);
    client.call(50);
    expect(client.grants).toBe(5);
  });

  test('adds at most its share to the calls of a client that fails for a minute', () => {
    const client = new Client(0.2, 0);
    let retries = 0;
    for (let second = 0; second < 60; second++) {
      client.call(10);
      retries += client.grants;
      client.clock.advance(1000);
    }
    expect(retries).toBeLessThanOrEqual(0.2 * 600);
    expect(retries).toBeGreaterThan(0.15 * 600);
  });
});
