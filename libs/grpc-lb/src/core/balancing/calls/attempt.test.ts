import { describe, expect, test } from 'vitest';
import { FakeClock } from '../../../../../../test/support/time/fake-clock.js';
import { OwnStall } from '../../own-stall.js';
import { Spillover } from '../../locality/spillover.js';
import type { LoadReport } from '../../policy/load-report.js';
import type { CallInfo, Policy } from '../../policy/policy.js';
import type { Carrier } from '../members/link.js';
import type { Member } from '../members/member.js';
import { Attempt } from './attempt.js';
import { Attempts } from './attempts.js';

class PlainAttempt extends Attempt<Carrier> {
  protected readonly call: CallInfo = { method: '/Orders/Find', stream: false };
  reads = 0;

  get report(): LoadReport {
    this.reads++;
    return { cpuUtilization: 0.3, applicationUtilization: 0, rps: 0, eps: 0, namedMetrics: {} };
  }
}

function setUp(lost = false, spillover?: Spillover) {
  const clock = new FakeClock();
  const environment = { clock, ownStall: new OwnStall(clock) };
  const attempts = new Attempts<Carrier>(environment, { spillover }, () => {}, { of: () => undefined });
  const passiveHealth = { isProbe: () => false, endProbe: () => false, record: () => {} };
  const counters = { inFlight: 0, lingering: 0, superseded: 0, started: 0, succeeded: 0, failed: 0 };
  const endpoint = { ...counters, inLocalZone: true, passiveHealth } as unknown as Member<Carrier>;
  const connection = { inFlight: 0, lost, callStarted: () => {}, callAnswered: () => {} } as unknown as Carrier;
  const policy: Policy = { pick: () => 0, chances: () => [1] };
  const begin = (): PlainAttempt => {
    const attempt = new PlainAttempt(attempts, endpoint, connection, policy);
    attempt.begin();
    return attempt;
  };
  return { clock, endpoint, connection, begin };
}

describe('an attempt that another one has overtaken', () => {
  test('counts for as long again as it has taken, at the endpoint and not on the connection', () => {
    const { clock, endpoint, connection, begin } = setUp();
    const attempt = begin();
    clock.advance(200);
    attempt.supersede();
    expect([endpoint.inFlight, connection.inFlight]).toEqual([1, 0]);
    clock.advance(199);
    expect(endpoint.inFlight).toBe(1);
    clock.advance(1);
    expect(endpoint.inFlight).toBe(0);
  });

  test('counts twice as long with each one before it that its endpoint has not answered', () => {
    const { clock, endpoint, begin } = setUp();
    for (const held of [100, 200, 400, 100]) {
      if (held === 100 && endpoint.superseded > 0) begin().finish('ok', 'peer');
      const attempt = begin();
      clock.advance(100);
      attempt.supersede();
      clock.advance(held - 1);
      expect(endpoint.inFlight).toBe(1);
      clock.advance(1);
      expect(endpoint.inFlight).toBe(0);
    }
  });

  test('does not count if its connection is lost: its server is gone', () => {
    const { clock, endpoint, begin } = setUp(true);
    const attempt = begin();
    clock.advance(200);
    attempt.supersede();
    expect(endpoint.inFlight).toBe(0);
  });
});

describe('a connection is told', () => {
  test.each([
    [
      'that its peer has processed a call that it answers',
      (attempt: PlainAttempt) => attempt.finish('ok', 'peer'),
      [true],
    ],
    [
      'that its peer has not processed a call that it refuses',
      (attempt: PlainAttempt) => attempt.turnedAway(),
      [false],
    ],
    ['nothing of a call that the caller cancels', (attempt: PlainAttempt) => attempt.finish('refused', 'caller'), []],
  ])('%s', (_, end, expected) => {
    const { connection, begin } = setUp();
    const told: boolean[] = [];
    connection.callAnswered = (ran) => void told.push(ran);
    end(begin());
    expect(told).toEqual(expected);
  });
});

describe('the load report of an attempt', () => {
  const LOCALITY = { minCrossZoneShare: 0.01, spillRatio: 1.5 };

  test('is read if zones are compared by what their endpoints report', () => {
    const spillover = new Spillover({ ...LOCALITY, spillUtilization: 0.1 });
    const reported: [boolean, number][] = [];
    spillover.reported = (...report) => reported.push(report);
    const attempt = setUp(false, spillover).begin();
    attempt.finish('ok', 'peer');
    expect(reported).toEqual([[true, 0.3]]);
  });

  test.each([undefined, new Spillover({ ...LOCALITY, spillUtilization: false })])(
    'is not parsed for nothing',
    (spillover) => {
      const attempt = setUp(false, spillover).begin();
      attempt.finish('ok', 'peer');
      expect(attempt.reads).toBe(0);
    },
  );
});
