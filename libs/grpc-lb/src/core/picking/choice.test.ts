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
  const always = { inFlight: 0, weight: 1, failureFactor: 1, warmth: 1, wantsProbe: false };
  return { key, ...always, connected: true, healthy: true, probing: false, ...over };
}

/** Takes the first of whatever it is offered. */
const first: Policy = { pick: () => 0, chances: () => [] };

function traffic(endpoints: readonly Endpoint[], panicThreshold = 0): Route<Endpoint> {
  return routeOf([{ priority: 0, localZone: endpoints, otherZones: [] }], {
    panicThreshold,
    overprovisioningFactor: 2,
  });
}

function choice(endpoints: readonly Endpoint[], ...draws: number[]): Choice<Endpoint> {
  return new Choice(traffic(endpoints), first, scripted(...draws));
}

const [A, B, C] = [endpoint('a'), endpoint('b'), endpoint('c')];

describe('a call', () => {
  test('goes where the policy says, without a draw of its own', () => {
    expect(choice([A, B]).pick(UNKNOWN_CALL, undefined)).toBe(A);
  });

  test('that has just failed there goes elsewhere, while there is another', () => {
    expect(choice([A, B]).pick(UNKNOWN_CALL, A)).toBe(B);
    expect(choice([A, B]).pick(UNKNOWN_CALL, B)).toBe(A);
    expect(choice([A]).pick(UNKNOWN_CALL, A)).toBe(A);
  });
});

describe('an endpoint that starts slowly', () => {
  const cold = endpoint('cold', { warmth: 0.3 });

  test('is considered with the chance of its warmth over the number of endpoints', () => {
    // 0.099 of three endpoints is 0.297, just below its warmth.
    expect(choice([A, B, cold], 0.099).pick(UNKNOWN_CALL, undefined)).toBe(cold);
    expect(choice([A, B, cold], 0.101).pick(UNKNOWN_CALL, undefined)).toBe(A);
  });

  test('gets the call only if it has no more load than the one that was chosen', () => {
    const busy = endpoint('cold', { warmth: 0.3, inFlight: 1 });
    expect(choice([A, B, busy], 0).pick(UNKNOWN_CALL, undefined)).toBe(A);
    expect(choice([endpoint('a', { inFlight: 1 }), B, busy], 0).pick(UNKNOWN_CALL, undefined)).toBe(busy);
    const failing = endpoint('cold', { warmth: 0.3, failureFactor: 2 });
    expect(choice([A, B, failing], 0).pick(UNKNOWN_CALL, undefined)).toBe(A);
  });

  test('gets the call by its share of the load where weights are unequal', () => {
    const light = (inFlight: number) => endpoint('cold', { warmth: 0.3, inFlight });
    const heavy = (inFlight: number) => endpoint('a', { weight: 3, inFlight });
    const picks = (carries: number, bears: number) =>
      choice([heavy(bears), light(carries)], 0).pick(UNKNOWN_CALL, undefined)!.key;
    // An idle light one takes a call from an idle heavy one, and one call beside three.
    expect([picks(0, 0), picks(0, 2), picks(1, 3)]).toEqual(['cold', 'cold', 'cold']);
    expect([picks(1, 0), picks(1, 2), picks(2, 3)]).toEqual(['a', 'a', 'a']);
  });

  test('is one among all for as many calls as keep the others at 1.5 times their share', () => {
    // Of the list of all the policy takes the last, of the warm ones the only one.
    const last: Policy = { pick: (list) => list.length - 1, chances: () => [] };
    const two = traffic([A, endpoint('d', { warmth: 0.1 }), cold]);
    const picks = (draw: number) => new Choice(two, last, scripted(draw)).pick(UNKNOWN_CALL, undefined)!.key;
    // On the ramp A would have 1 - 0.4 / 3 of the calls. It has a half if 11/16 of all are placed among all.
    expect([picks(0), picks(0.687)]).toEqual(['cold', 'cold']);
    expect([picks(0.688), picks(0.999)]).toEqual(['d', 'a']);
  });

  test('relieves one that has more than four times its load', () => {
    const picks = (inFlight: number, weight = 1) =>
      choice([endpoint('a', { inFlight, weight }), C, cold], 0.9).pick(UNKNOWN_CALL, undefined)?.key;
    expect([picks(3), picks(4)]).toEqual(['a', 'cold']);
    expect([picks(10, 3), picks(12, 3)]).toEqual(['a', 'cold']);
  });
});

describe('a probe', () => {
  const ejected = { healthy: false, probing: true };
  const waiting = endpoint('waiting', { ...ejected, wantsProbe: true });
  const underWay = endpoint('under way', ejected);

  test('goes to the first endpoint that waits for one', () => {
    expect(choice([A, underWay, waiting]).probe(undefined)).toBe(waiting);
  });

  test('is not made where none waits, nor by a call that has just failed there', () => {
    expect(choice([A, underWay]).probe(undefined)).toBeUndefined();
    expect(choice([A, waiting]).probe(waiting)).toBeUndefined();
  });
});

describe('what belongs together', () => {
  const B2 = endpoint('b', { warmth: 0.1 });
  const ejected = endpoint('c', { healthy: false, probing: true, wantsProbe: true });
  const belongsTo = (...keys: string[]): Policy => ({
    sticky: true,
    pick: (list) => list.findIndex(({ key }) => key === keys.find((each) => list.some((other) => other.key === each))),
    chances: () => [],
  });
  const of = (policy: Policy): Choice<Endpoint> => new Choice(traffic([A, B2, ejected]), policy, scripted());

  test('is not sent elsewhere because its endpoint starts slowly', () => {
    expect(of(belongsTo('b')).pick(UNKNOWN_CALL, undefined)).toBe(B2);
    expect(of(belongsTo('a')).pick(UNKNOWN_CALL, undefined)).toBe(A);
  });

  test('makes a probe only where it belongs', () => {
    expect(of(belongsTo('c', 'a')).probe(undefined, UNKNOWN_CALL)).toBe(ejected);
    expect(of(belongsTo('a')).probe(undefined, UNKNOWN_CALL)).toBeUndefined();
    expect(of(belongsTo('c', 'a')).probe(ejected, UNKNOWN_CALL)).toBeUndefined();
  });

  test('makes probes in a panic too', () => {
    const panic = new Choice(traffic([ejected], 100), belongsTo('c'), scripted());
    expect(panic.probe(undefined, UNKNOWN_CALL)).toBe(ejected);
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

  test('are drawn by lot, the priority by its share and the zone by what crosses', () => {
    const picks = (random: number[]) => {
      const drawn = new Choice(priorities, first, scripted(...random));
      return random.map(() => drawn.pick(UNKNOWN_CALL, undefined)?.key);
    };
    // A quarter that is healthy bears half of the calls.
    expect(picks([0, 0.49, 0.51, 0.99])).toEqual(['first', 'first', 'second', 'second']);
    const zones = new Choice(zoned, first, scripted(0.09, 0.11), () => 0.1);
    expect([0, 1].map(() => zones.pick(UNKNOWN_CALL, undefined)?.key)).toEqual(['otherZones', 'localZone']);
  });

  test('of what belongs together are always the same, and in their proportion', () => {
    const sticky: Policy = { sticky: true, pick: () => 0, chances: () => [] };
    const drawn = new Choice(zoned, sticky, scripted(), () => 0.3);
    const calls = Array.from({ length: 1000 }, (_, i) => ({ ...UNKNOWN_CALL, hashKey: `session ${i}` }));
    const zones = calls.map((call) => drawn.pick(call, undefined)?.key);
    expect(calls.map((call) => drawn.pick(call, undefined)?.key)).toEqual(zones);
    const crossing = zones.filter((key) => key === 'otherZones').length;
    // 300 of 1000: five standard deviations are 72.
    expect(crossing).toBeGreaterThan(228);
    expect(crossing).toBeLessThan(372);
  });
});
