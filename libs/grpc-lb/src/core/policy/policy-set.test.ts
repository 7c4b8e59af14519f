import { describe, expect, test } from 'vitest';
import { hosts } from '../../../../../test/properties/hosts.js';
import { FakeClock } from '../../../../../test/support/time/fake-clock.js';
import type { MethodOptions } from '../options/load-balancing.js';
import { seededRandom } from '../random.js';
import { Adaptive } from './adaptive.js';
import { LeastRequest } from './least-request.js';
import { PeakEwma } from './peak-ewma.js';
import { type Policy, UNKNOWN_CALL } from './policy.js';
import { PolicySet } from './policy-set.js';

function policySet(methods?: Record<string, MethodOptions>): PolicySet {
  return PolicySet.of({ policy: { name: 'least_request' }, methods }, seededRandom(1), new FakeClock());
}

const call = (method: string) => ({ method, stream: false });

describe('a method', () => {
  const set = policySet({
    Search: { policy: 'adaptive' },
    Find: { policy: { name: 'peak_ewma', decayTime: 1000 } },
    Place: {},
  });

  test('with its own policy always uses the same instance, in each service', () => {
    const search = set.for(call('/orders.v1.Orders/Search'));
    expect(search).toBeInstanceOf(Adaptive);
    expect(set.for(call('/orders.v1.Orders/Search'))).toBe(search);
    expect(set.for(call('/stock.v1.Stock/Search'))).toBe(search);
    expect(set.for(call('/orders.v1.Orders/Find'))).toBeInstanceOf(PeakEwma);
  });

  test.each(['/orders.v1.Orders/Place', '/orders.v1.Orders/Other', '/orders.v1.Orders/toString', '', '/'])(
    '%j has the one for all',
    (path) => {
      expect(set.for(call(path))).toBe(set.common);
      expect(set.common).toBeInstanceOf(LeastRequest);
    },
  );

  test('that is unknown uses the default policy', () => {
    expect(set.for(UNKNOWN_CALL)).toBe(set.common);
  });

  test('keeps its policy after a thousand made-up ones', () => {
    const own = policySet({ Search: { policy: 'adaptive' } });
    for (let i = 0; i < 3000; i++) expect(own.for(call(`/made.up/${i}`))).toBe(own.common);
    expect(own.for(call('/orders.v1.Orders/Search'))).toBeInstanceOf(Adaptive);
  });
});

test('without method policies there is a single policy', () => {
  for (const set of [policySet(), policySet({}), policySet({ Place: {} })]) {
    expect(set.all).toEqual([set.common]);
    expect(set.for(call('/orders.v1.Orders/Place'))).toBe(set.common);
  }
});

test('each policy gets the endpoints and their reports', () => {
  const set = policySet({ Search: { policy: 'random' } });
  const told: string[] = [];
  set.all.forEach((policy: Policy, i) => {
    policy.members = () => told.push(`${i} members`);
    policy.ready = () => told.push(`${i} ready`);
    policy.report = () => told.push(`${i} report`);
    policy.forget = () => told.push(`${i} forget`);
  });
  const [host] = hosts([0]);
  set.members([host!]);
  set.ready(host!);
  set.report(host!, { cpuUtilization: 0, applicationUtilization: 0, rps: 0, eps: 0, namedMetrics: {} });
  set.forget(host!);
  expect(told).toEqual(['members', 'ready', 'report', 'forget'].flatMap((what) => [`0 ${what}`, `1 ${what}`]));
});

test('backends report out of band at the shortest period that any policy wants', () => {
  const set = policySet({ Search: { policy: 'random' }, Find: { policy: 'round_robin' } });
  expect(set.reportInterval).toBeUndefined();
  Object.assign(set.all[1]!, { reportInterval: 5000 });
  Object.assign(set.all[2]!, { reportInterval: 1000 });
  expect(set.reportInterval).toBe(1000);
});
