import { beforeEach, describe, expect, test } from 'vitest';
import { FakeClock } from '../../../../../../test/support/time/fake-clock.js';
import { effectiveEjection } from '../../options/ejection-options.js';
import { effectiveSlowStart } from '../../options/slow-start-options.js';
import type { LoadReport } from '../../policy/load-report.js';
import { seededRandom } from '../../random.js';
import { FailureRate, UNDECIDED_FACTOR } from './failure-rate.js';
import { PassiveHealth, type PassiveHealthOwner } from './passive-health.js';
import type { Verdict } from './peer.js';
import { PeerComparison } from './peer-comparison.js';

const ILL: Verdict = { reason: 'ill', failures: 5, calls: 5, since: 0, inARow: true };

/** The owner of an endpoint; the other endpoint is healthy, so that this one may always be ejected. */
class Owner implements PassiveHealthOwner {
  connected = true;
  failureFactor = 1;
  passiveHealth!: PassiveHealth;

  get serves(): boolean {
    return !this.passiveHealth.ejected;
  }

  /** Answers the question for a report; undefined while none is asked. */
  answer: ((report: LoadReport | undefined) => void) | undefined;

  ejectionChanged(): void {}

  askReport(told: (report: LoadReport | undefined) => void): () => void {
    this.answer = told;
    return () => (this.answer = undefined);
  }

  warmedUp(): void {}
}

let clock: FakeClock;
let ejection: ReturnType<typeof effectiveEjection>;
let owner: Owner;
let passiveHealth: PassiveHealth;

function create(peers: PeerComparison): Owner {
  const created = new Owner();
  const environment = {
    clock,
    random: seededRandom(1),
    get loadBalancing() {
      return { ejection, slowStart: effectiveSlowStart() };
    },
  };
  created.passiveHealth = new PassiveHealth(environment, created, peers);
  return created;
}

beforeEach(() => {
  clock = new FakeClock();
  ejection = effectiveEjection();
  const peers = new PeerComparison(clock, () => ejection);
  owner = create(peers);
  ({ passiveHealth } = owner);
  create(peers);
});

function fail(): void {
  passiveHealth.record('failed', clock.now(), clock.now(), false);
}

/** Ejected, and the ejection time is over. */
function waitsForProbe(): void {
  passiveHealth.eject(ILL);
  clock.advance(60_000);
  expect(passiveHealth.wantsProbe).toBe(true);
}

describe('a reset discards', () => {
  test('an ejection, and the failures in the score', () => {
    fail();
    fail();
    passiveHealth.eject(ILL);
    passiveHealth.reset();
    expect(passiveHealth.ejected).toBe(false);
    expect(owner.failureFactor).toBe(1);
    // The next failure counts as the first one.
    fail();
    expect(passiveHealth.failureRate).toBeCloseTo(0.2, 12);
  });

  test('a run of failures that has not ejected it yet', () => {
    for (let i = 0; i < 4; i++) fail();
    passiveHealth.reset();
    for (let i = 0; i < 4; i++) fail();
    expect(passiveHealth.verdict).toBeUndefined();
    fail();
    expect(passiveHealth.verdict?.reason).toBe('5 failures in a row');
  });
});

describe('the probe', () => {
  test('is a single call that alone decides', () => {
    waitsForProbe();
    const probe = {};
    passiveHealth.beginProbe(probe);
    expect(passiveHealth.wantsProbe).toBe(false);
    expect(passiveHealth.endProbe({})).toBe(false);
    expect(passiveHealth.endProbe(probe)).toBe(true);
    passiveHealth.record('ok', clock.now(), clock.now(), true);
    expect(passiveHealth.ejected).toBe(false);
  });

  test('of an earlier ejection is ignored and does not block the current one', () => {
    waitsForProbe();
    const old = {};
    passiveHealth.beginProbe(old);
    // The connections are lost during the probe.
    passiveHealth.reset();
    waitsForProbe();
    expect(passiveHealth.endProbe(old)).toBe(false);
  });

  test('may be a stream: one that has stayed open for a second is a success', () => {
    waitsForProbe();
    const stream = {};
    passiveHealth.beginProbe(stream);
    passiveHealth.probeStreams(stream);
    clock.advance(999);
    expect(passiveHealth.ejected).toBe(true);
    clock.advance(1);
    expect(passiveHealth.ejected).toBe(false);
    expect(passiveHealth.endProbe(stream)).toBe(false);
  });

  test('that is a stream and fails within that second ejects the endpoint again', () => {
    waitsForProbe();
    const stream = {};
    passiveHealth.beginProbe(stream);
    passiveHealth.probeStreams(stream);
    clock.advance(500);
    passiveHealth.record('failed', clock.now(), clock.now(), passiveHealth.endProbe(stream));
    clock.advance(1000);
    expect(passiveHealth.outlier.state.kind).toBe('ejected');
  });

  test('leaves no timer behind', () => {
    waitsForProbe();
    const stream = {};
    passiveHealth.beginProbe(stream);
    passiveHealth.probeStreams(stream);
    passiveHealth.close();
    expect(clock.pendingTimers).toBe(0);
  });
});

describe('the failure factor', () => {
  test.each([true, false])(
    'is that of the failure rate, bounded while an ejection is undecided; with ejection: %s',
    (enabled) => {
      ejection = effectiveEjection({ enabled });
      const rate = new FailureRate();
      for (let failures = 1; failures <= 5; failures++) {
        expect(passiveHealth.ejected).toBe(false);
        fail();
        rate.record(true, 0);
        const bounded = enabled && failures < 5;
        if (enabled && failures === 5) break;
        expect(owner.failureFactor).toBe(bounded ? Math.min(UNDECIDED_FACTOR, rate.factor(0)) : rate.factor(0));
      }
      expect(passiveHealth.verdict?.reason).toBe(enabled ? '5 failures in a row' : undefined);
    },
  );
});

describe('the totals count', () => {
  test('an ejection by what caused it, and one that is withdrawn', () => {
    const peers = new PeerComparison(clock, () => ejection);
    const { passiveHealth: health } = create(peers);
    create(peers);
    health.eject(ILL);
    health.eject({ ...ILL, inARow: false });
    health.withdraw();
    expect(peers.totals.snapshot()).toMatchObject({
      ejections: { consecutive_failures: 1, success_rate: 1 },
      ejectionsWithdrawn: 1,
    });
  });

  test('a failed probe', () => {
    const peers = new PeerComparison(clock, () => ejection);
    const { passiveHealth: health } = create(peers);
    create(peers);
    health.eject(ILL);
    clock.advance(60_000);
    health.record('failed', clock.now(), clock.now(), true);
    expect(peers.totals.snapshot().ejections).toEqual({ consecutive_failures: 1, failed_probe: 1 });
  });

  test('an endpoint that is not ejected, once while its failures go on', () => {
    // It is the only one.
    const peers = new PeerComparison(clock, () => ejection);
    const { passiveHealth: health } = create(peers);
    for (let i = 0; i < 20; i++) health.record('failed', clock.now(), clock.now(), false);
    expect(peers.totals.snapshot()).toMatchObject({
      ejections: {},
      ejectionsPrevented: [{ method: 'consecutive_failures', obstacle: 'last_healthy', count: 1 }],
    });
  });
});

describe('a backend that reports that it fails everything', () => {
  const report = (namedMetrics: Record<string, number>, rates = { rps: 0, eps: 0 }): LoadReport => ({
    cpuUtilization: 0,
    applicationUtilization: 0,
    ...rates,
    namedMetrics,
  });
  const failWith = (reported: number): void =>
    passiveHealth.record('failed', clock.now(), clock.now(), false, reported);
  const untilAsked = (): void => {
    owner.answer = undefined;
    for (let ms = 0; ms < 100_000 && !owner.answer; ms += 100) clock.advance(100);
    expect(owner.answer).toBeDefined();
  };
  /** Its ejection is over, and it is asked. */
  const ejected = (reported = 40): void => {
    failWith(reported);
    expect(passiveHealth.ejected).toBe(true);
    untilAsked();
  };

  test('is ejected for one failure', () => {
    failWith(0);
    expect(passiveHealth.ejected).toBe(false);
    failWith(3);
    expect(passiveHealth.ejectionReason).toBe('it reports that its last 3 calls failed, of all its clients');
  });

  test('is not ejected for what it reports if consecutive failures eject no endpoint', () => {
    ejection = effectiveEjection({ consecutiveFailures: 0 });
    failWith(40);
    expect(passiveHealth.ejected).toBe(false);
  });

  test('gets no probe while those of others fail', () => {
    ejected();
    owner.answer!(report({ failures_in_a_row: 41, idle_ms: 100 }));
    expect([passiveHealth.ejected, passiveHealth.wantsProbe]).toEqual([true, false]);
    untilAsked();
    expect(clock.now()).toBeLessThan(10_100 + 6500);
  });

  test('gets a probe after the longest ejection, however many calls of others fail: they may be those of one caller', () => {
    ejection = effectiveEjection({ maxEjectionTime: 30_000 });
    const since = clock.now();
    ejected();
    for (let run = 41; !passiveHealth.wantsProbe; run++) {
      owner.answer!(report({ failures_in_a_row: run, idle_ms: 100 }));
      if (!passiveHealth.wantsProbe) untilAsked();
    }
    expect(clock.now() - since).toBeGreaterThanOrEqual(30_000);
    expect(clock.now() - since).toBeLessThan(36_600);
  });

  test('gets a probe if no other client has called it since', () => {
    for (const metrics of [
      { failures_in_a_row: 40, idle_ms: 5000 },
      { failures_in_a_row: 41, idle_ms: 8000 },
    ]) {
      ejected();
      owner.answer!(report(metrics));
      expect(passiveHealth.wantsProbe).toBe(true);
      passiveHealth.endEjection();
    }
  });

  test('is back without a probe once the calls of others succeed', () => {
    ejected();
    owner.answer!(report({ failures_in_a_row: 0, idle_ms: 20 }));
    expect(passiveHealth.ejected).toBe(false);
  });

  test('gets a probe if it has no report, or does not answer within a second', () => {
    ejected();
    owner.answer!(undefined);
    expect(passiveHealth.wantsProbe).toBe(true);
    passiveHealth.endEjection();
    ejected();
    clock.advance(1000);
    expect([passiveHealth.wantsProbe, owner.answer]).toEqual([true, undefined]);
  });

  test('may report rates only, as other servers do', () => {
    for (const [rates, expected] of [
      [{ rps: 2, eps: 0 }, 'back'],
      [{ rps: 2, eps: 2 }, 'ejected'],
      [{ rps: 0, eps: 0 }, 'probe'],
      [{ rps: 9, eps: 3 }, 'probe'],
    ] as const) {
      ejected();
      owner.answer!(report({}, rates));
      const { ejected: is, wantsProbe } = passiveHealth;
      expect(is ? (wantsProbe ? 'probe' : 'ejected') : 'back').toBe(expected);
      passiveHealth.endEjection();
    }
  });

  test('knows after a failed probe what it reported then', () => {
    ejected();
    owner.answer!(undefined);
    passiveHealth.record('failed', clock.now(), clock.now(), true, 45);
    expect(passiveHealth.wantsProbe).toBe(false);
    untilAsked();
    owner.answer!(report({ failures_in_a_row: 45, idle_ms: 100 }));
    expect(passiveHealth.wantsProbe).toBe(true);
  });

  test('is asked no more when it leaves, or when its connections are lost', () => {
    ejected();
    passiveHealth.reset();
    expect(owner.answer).toBeUndefined();
    ejected();
    passiveHealth.close();
    expect(owner.answer).toBeUndefined();
  });
});
