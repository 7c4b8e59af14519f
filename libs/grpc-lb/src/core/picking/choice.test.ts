import { describe, expect, test } from 'vitest';
import { scripted } from '../../../../../test/properties/hosts.js';
import { type Policy, UNKNOWN_CALL } from '../policy/policy.js';
import { type Choosable, Choice } from './choice.js';
import { type Route, routeOf } from '../balancing/route/route.js';

interface Endpoint extends Choosable {
  readonly connected: boolean;
  readonly healthy: boolean;
  readonly probing: boolean;
}

function endpoint(key: string, over: Partial<Endpoint> = {}): Endpoint {
  const always = { inFlight: 0, streams: 0, lingering: 0, weight: 1, failureFactor: 1, warmth: 1, wantsProbe: false };
  return { key, ...always, connected: true, healthy: true, probing: false, ...over };
}

/** Picks the first candidate. */
const first: Policy = { pick: () => 0, chances: () => [] };

function routeTo(endpoints: readonly Endpoint[], panicThreshold = 0): Route<Endpoint> {
  return routeOf([{ priority: 0, localZone: endpoints, otherZones: [] }], {
    panicThreshold,
    overprovisioningFactor: 2,
  });
}

function choice(endpoints: readonly Endpoint[], ...draws: number[]): Choice<Endpoint> {
  return new Choice(routeTo(endpoints), first, scripted(...draws));
}

const [A, B, C] = [endpoint('a'), endpoint('b'), endpoint('c')];

describe('a call', () => {
  test('goes where the policy says, without drawing a random number itself', () => {
    expect(choice([A, B]).pick(UNKNOWN_CALL, [])).toBe(A);
  });

  test('that has just failed on an endpoint goes to another one, if there is one', () => {
    expect(choice([A, B]).pick(UNKNOWN_CALL, [A])).toBe(B);
    expect(choice([A, B]).pick(UNKNOWN_CALL, [B])).toBe(A);
    expect(choice([A]).pick(UNKNOWN_CALL, [A])).toBe(A);
  });
});

describe('an endpoint in slow start', () => {
  const cold = endpoint('cold', { warmth: 0.3 });

  test('is considered with a probability of its warmth over the number of endpoints', () => {
    // 0.099 of three endpoints is 0.297, just below its warmth.
    expect(choice([A, B, cold], 0.099).pick(UNKNOWN_CALL, [])).toBe(cold);
    expect(choice([A, B, cold], 0.101).pick(UNKNOWN_CALL, [])).toBe(A);
  });

  test('gets the call only if it has no more load than the one that was chosen', () => {
    const busy = endpoint('cold', { warmth: 0.3, inFlight: 1 });
    expect(choice([A, B, busy], 0).pick(UNKNOWN_CALL, [])).toBe(A);
    expect(choice([endpoint('a', { inFlight: 1 }), B, busy], 0).pick(UNKNOWN_CALL, [])).toBe(busy);
    const failing = endpoint('cold', { warmth: 0.3, failureFactor: 2 });
    expect(choice([A, B, failing], 0).pick(UNKNOWN_CALL, [])).toBe(A);
  });

  test('gets the call by weighted load if weights are unequal', () => {
    const light = (inFlight: number) => endpoint('cold', { warmth: 0.3, inFlight });
    const heavy = (inFlight: number) => endpoint('a', { weight: 3, inFlight });
    const picks = (carries: number, bears: number) =>
      choice([heavy(bears), light(carries)], 0).pick(UNKNOWN_CALL, [])!.key;
    // The light one gets the call if both are idle, and with one call in flight against three.
    expect([picks(0, 0), picks(0, 2), picks(1, 3)]).toEqual(['cold', 'cold', 'cold']);
    expect([picks(1, 0), picks(1, 2), picks(2, 3)]).toEqual(['a', 'a', 'a']);
  });

  test('competes equally for as many calls as keep the others at 1.5 times their share', () => {
    // The policy picks the last of all endpoints, and the only one of the warm ones.
    const last: Policy = { pick: (list) => list.length - 1, chances: () => [] };
    const two = routeTo([A, endpoint('d', { warmth: 0.1 }), cold]);
    const picks = (draw: number) => new Choice(two, last, scripted(draw)).pick(UNKNOWN_CALL, [])!.key;
    // With the ramp alone A would get 1 - 0.4 / 3 of the calls. It gets half if 11/16 of the calls go to all equally.
    expect([picks(0), picks(0.687)]).toEqual(['cold', 'cold']);
    expect([picks(0.688), picks(0.999)]).toEqual(['d', 'a']);
  });

  test('relieves an endpoint that has more than four times its load', () => {
    const picks = (inFlight: number, weight = 1) =>
      choice([endpoint('a', { inFlight, weight }), C, cold], 0.9).pick(UNKNOWN_CALL, [])?.key;
    expect([picks(3), picks(4)]).toEqual(['a', 'cold']);
    expect([picks(10, 3), picks(12, 3)]).toEqual(['a', 'cold']);
  });
});

describe('a probe', () => {
  const ejected = { healthy: false, probing: true };
  const waiting = endpoint('waiting', { ...ejected, wantsProbe: true });
  const underWay = endpoint('under way', ejected);

  test('goes to the first endpoint that waits for one', () => {
    expect(choice([A, underWay, waiting]).probe([])).toBe(waiting);
  });

  test('is not made if no endpoint waits, nor by a call that has just failed there', () => {
    expect(choice([A, underWay]).probe([])).toBeUndefined();
    expect(choice([A, waiting]).probe([waiting])).toBeUndefined();
  });
});

describe('a call of a sticky policy', () => {
  const B2 = endpoint('b', { warmth: 0.1 });
  const ejected = endpoint('c', { healthy: false, probing: true, wantsProbe: true });
  const belongsTo = (...keys: string[]): Policy => ({
    sticky: true,
    pick: (list) => list.findIndex(({ key }) => key === keys.find((each) => list.some((other) => other.key === each))),
    chances: () => [],
  });
  const of = (policy: Policy): Choice<Endpoint> => new Choice(routeTo([A, B2, ejected]), policy, scripted());

  test('stays with its endpoint during slow start', () => {
    expect(of(belongsTo('b')).pick(UNKNOWN_CALL, [])).toBe(B2);
    expect(of(belongsTo('a')).pick(UNKNOWN_CALL, [])).toBe(A);
  });

  test('probes only the endpoint it belongs to', () => {
    expect(of(belongsTo('c', 'a')).probe([], UNKNOWN_CALL)).toBe(ejected);
    expect(of(belongsTo('a')).probe([], UNKNOWN_CALL)).toBeUndefined();
    expect(of(belongsTo('c', 'a')).probe([ejected], UNKNOWN_CALL)).toBeUndefined();
  });

  test('probes in a panic too', () => {
    const panic = new Choice(routeTo([ejected], 100), belongsTo('c'), scripted());
    expect(panic.probe([], UNKNOWN_CALL)).toBe(ejected);
  });
});

describe('priorities and zones', () => {
  const localZone = [endpoint('localZone')];
  const otherZones = [endpoint('otherZones')];
  const zoned = routeOf([{ priority: 0, localZone, otherZones }], {
    panicThreshold: 50,
    overprovisioningFactor: 2,
  });
  const quarter = [
    endpoint('first'),
    ...['x', 'y', 'z'].map((key) => endpoint(key, { connected: false, healthy: false })),
  ];
  const priorities = routeOf(
    [
      { priority: 0, localZone: quarter, otherZones: [] },
      { priority: 1, localZone: [endpoint('second')], otherZones: [] },
    ],
    { panicThreshold: 50, overprovisioningFactor: 2 },
  );

  test('are drawn at random, the priority by its share and the zone by the crossing share', () => {
    const picks = (random: number[]) => {
      const drawn = new Choice(priorities, first, scripted(...random));
      return random.map(() => drawn.pick(UNKNOWN_CALL, [])?.key);
    };
    // A priority with a quarter of its endpoints healthy gets half of the calls.
    expect(picks([0, 0.49, 0.51, 0.99])).toEqual(['first', 'first', 'second', 'second']);
    const zones = new Choice(zoned, first, scripted(0.09, 0.11), () => 0.1);
    expect([0, 1].map(() => zones.pick(UNKNOWN_CALL, [])?.key)).toEqual(['otherZones', 'localZone']);
  });

  test('of a sticky call are always the same, and in proportion over all keys', () => {
    const sticky: Policy = { sticky: true, pick: () => 0, chances: () => [] };
    const drawn = new Choice(zoned, sticky, scripted(), () => 0.3);
    const calls = Array.from({ length: 1000 }, (_, i) => ({ ...UNKNOWN_CALL, hashKey: `session ${i}` }));
    const zones = calls.map((call) => drawn.pick(call, [])?.key);
    expect(calls.map((call) => drawn.pick(call, [])?.key)).toEqual(zones);
    const crossing = zones.filter((key) => key === 'otherZones').length;
    // 300 of 1000: five standard deviations are 72.
    expect(crossing).toBeGreaterThan(228);
    expect(crossing).toBeLessThan(372);
  });
});
