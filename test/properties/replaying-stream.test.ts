import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { check } from './check.js';
import { BidiRun, type BidiWorld, OK } from './replaying-model.js';

const world: fc.Arbitrary<BidiWorld> = fc
  .record({
    seed: fc.nat(),
    length: fc.integer({ min: 1, max: 120 }),
    service: fc.constantFrom('log', 'answers'),
    cumulative: fc.boolean(),
    ackEvery: fc.constantFrom(1, 1, 2, 5),
    limit: fc.constantFrom(1, 7, 1000),
    window: fc.constantFrom(1, 3, 16),
    keyless: fc.boolean(),
    headers: fc.boolean(),
    kill: fc.constantFrom(0, 0.02, 0.1),
    move: fc.constantFrom(0, 0.05, 0.3),
    bad: fc.constantFrom(0, 0.2, 0.5),
  })
  // A client that waits for each acknowledgment needs a server that gives it.
  .map((each) => (each.limit < each.ackEvery ? { ...each, ackEvery: 1 } : each));

test('whatever servers do, each request is processed, in order, and each answer delivered once', () => {
  let moves = 0;
  let repeated = 0;
  check(
    fc.property(world, (each) => {
      const run = new BidiRun(each).play();
      const all = Array.from({ length: each.length }, (_, i) => i + 1);
      expect(run.error).toBeUndefined();
      expect(run.end).toEqual({ code: OK, note: undefined });
      expect(run.delivered).toEqual(all);
      expect(run.processed).toEqual(all);
      expect(run.relay.size).toBe(0);
      expect(run.mostPending).toBeLessThanOrEqual(each.limit);
      repeated += run.received - each.length;
      moves += run.moves;
      run.stop();
      expect(run.calls.size).toBe(0);
    }),
    1000,
  );
  expect(moves).toBeGreaterThan(1000);
  expect(repeated).toBeGreaterThan(1000);
});

test('servers that are well get each request once, also those without a key', () => {
  check(
    fc.property(world, (each) => {
      const run = new BidiRun({ ...each, kill: 0, bad: 0, move: 0 }).play();
      expect(run.received).toBe(each.length);
      expect(run.keyless).toBe(run.keylessSent);
    }),
  );
});
