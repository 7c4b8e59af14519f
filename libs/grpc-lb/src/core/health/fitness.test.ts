import { beforeEach, describe, expect, test } from 'vitest';
import { FakeClock } from '../../../../../test/support/fake-clock.js';
import { effectiveEjection } from '../options/ejection-options.js';
import { effectiveSlowStart } from '../options/slow-start-options.js';
import { seededRandom } from '../random.js';
import { FailureRate, UNDECIDED_FACTOR } from './failure-rate.js';
import { Fitness } from './fitness.js';

let clock: FakeClock;
let found: string[];
let ejection: ReturnType<typeof effectiveEjection>;
let fitness: Fitness;

beforeEach(() => {
  clock = new FakeClock();
  found = [];
  ejection = effectiveEjection();
  fitness = new Fitness(clock, seededRandom(1), () => ({ ejection, slowStart: effectiveSlowStart() }), {
    fitnessChanged: () => {},
    warmedUp: () => {},
    outlierFound: (reason) => found.push(reason),
  });
});

function fail(): void {
  fitness.remember(true, clock.now());
  fitness.judge(true, clock.now(), false);
}

/** Ejected, and its time is over. */
function waitsForProbe(): void {
  fitness.eject('ill');
  clock.advance(60_000);
  expect(fitness.wantsProbe).toBe(true);
}

describe('what is forgiven is forgotten', () => {
  test('an ejection, and the failures in the score', () => {
    fail();
    fail();
    fitness.eject('ill');
    fitness.forgive();
    expect(fitness.admitted).toBe(true);
    expect(fitness.failureFactor).toBe(1);
    // The next failure is a first one.
    fail();
    expect(fitness.failureRate).toBeCloseTo(0.2, 12);
  });

  test('a run of failures that has not ejected it yet', () => {
    for (let i = 0; i < 4; i++) fail();
    fitness.forgive();
    for (let i = 0; i < 4; i++) fail();
    expect(found).toEqual([]);
    fail();
    expect(found).toEqual(['5 failures in a row']);
  });
});

describe('the probe', () => {
  test('is one call: it alone decides', () => {
    waitsForProbe();
    const probe = {};
    fitness.beginProbe(probe);
    expect(fitness.wantsProbe).toBe(false);
    expect(fitness.endProbe({})).toBe(false);
    expect(fitness.endProbe(probe)).toBe(true);
    fitness.judge(false, clock.now(), true);
    expect(fitness.admitted).toBe(true);
  });

  test('of an earlier ejection decides nothing, and is in nobody’s way', () => {
    waitsForProbe();
    const old = {};
    fitness.beginProbe(old);
    // Its connections are lost while it is under way.
    fitness.forgive();
    waitsForProbe();
    expect(fitness.endProbe(old)).toBe(false);
  });

  test('may be a stream: one that has stayed open for a second is a success', () => {
    waitsForProbe();
    const stream = {};
    fitness.beginProbe(stream);
    fitness.probeStreams(stream);
    clock.advance(999);
    expect(fitness.admitted).toBe(false);
    clock.advance(1);
    expect(fitness.admitted).toBe(true);
    expect(fitness.endProbe(stream)).toBe(false);
  });

  test('that is a stream and fails within that second ejects it again', () => {
    waitsForProbe();
    const stream = {};
    fitness.beginProbe(stream);
    fitness.probeStreams(stream);
    clock.advance(500);
    fitness.judge(true, clock.now(), fitness.endProbe(stream));
    clock.advance(1000);
    expect(fitness.outlier.state.kind).toBe('ejected');
  });

  test('leaves no timer behind', () => {
    waitsForProbe();
    const stream = {};
    fitness.beginProbe(stream);
    fitness.probeStreams(stream);
    fitness.close();
    expect(clock.pendingTimers).toBe(0);
  });
});

describe('the failure factor', () => {
  test.each([true, false])(
    'is that of the failures, bounded while they may still eject; with ejection: %s',
    (enabled) => {
      ejection = effectiveEjection({ enabled });
      const rate = new FailureRate();
      for (let failures = 1; failures <= 5; failures++) {
        expect(found).toEqual([]);
        fail();
        rate.record(true, 0);
        const bounded = enabled && failures < 5;
        expect(fitness.failureFactor).toBe(bounded ? Math.min(UNDECIDED_FACTOR, rate.factor(0)) : rate.factor(0));
      }
      expect(found).toEqual(enabled ? ['5 failures in a row'] : []);
    },
  );
});
