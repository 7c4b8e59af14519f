import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { check } from './check.js';
import { OK, OUT_OF_RANGE, Run, type World } from './resumable-model.js';

const world: fc.Arbitrary<World> = fc
  .record({
    seed: fc.nat(),
    length: fc.integer({ min: 1, max: 120 }),
    tokenEvery: fc.constantFrom(1, 1, 2, 5),
    identified: fc.boolean(),
    bookmarks: fc.boolean(),
    overlap: fc.constantFrom(0, 0, 1),
    pace: fc.constantFrom(1, 10, 100),
    headers: fc.boolean(),
    kill: fc.constantFrom(0, 0.02, 0.1),
    move: fc.constantFrom(0, 0.05, 0.3),
    bad: fc.constantFrom(0, 0.2, 0.5),
    pauses: fc.boolean(),
  })
  // Nothing identifies messages without a token, so nothing could be exact after a lost call, or if some are repeated.
  .map((each) => {
    const identified = each.identified || (each.tokenEvery === 1 && !each.bookmarks);
    return identified ? each : { ...each, kill: 0, bad: 0, overlap: 0 };
  });

test('whatever servers do, each message is delivered once and in order', () => {
  let moves = 0;
  check(
    fc.property(world, (each) => {
      const run = new Run(each).play();
      expect(run.error).toBeUndefined();
      expect(run.delivered).toEqual(Array.from({ length: run.delivered.length }, (_, i) => i + 1));
      // Another status of a server ends the stream where it is.
      const cut = run.end?.code === OUT_OF_RANGE;
      expect(run.end).toEqual({ code: cut ? OUT_OF_RANGE : OK, note: undefined });
      expect(run.delivered).toHaveLength(cut ? run.delivered.length : each.length);
      expect(run.mostOpen).toBeLessThanOrEqual(2);
      moves += run.moves;
      run.stop();
      expect(run.calls.size).toBe(0);
    }),
    1000,
  );
  expect(moves).toBeGreaterThan(1000);
});
