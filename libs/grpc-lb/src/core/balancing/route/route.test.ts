import { describe, expect, test } from 'vitest';
import type { PriorityMembers } from '../members/priority-members.js';
import { type Routable, type Route as RouteOf, routeOf } from './route.js';

type Route = RouteOf<Routable>;

interface Sketch {
  readonly connected?: boolean;
  readonly healthy?: boolean;
  readonly warmth?: number;
  readonly weight?: number;
  readonly probing?: boolean;
}

/** An endpoint as the route sees it. */
function endpoint({
  connected = true,
  healthy = connected,
  warmth = 1,
  weight = 1,
  probing = false,
}: Sketch = {}): Routable {
  return { connected, healthy, warmth, weight, probing };
}

const WELL = endpoint();
const ILL = endpoint({ healthy: false });
const AWAY = endpoint({ connected: false });

const level = (localZone: Routable[], otherZones: Routable[] = [], priority = 0): PriorityMembers<Routable> => ({
  priority,
  localZone,
  otherZones,
});

const HEALTH = { enabled: true, service: '', panicThreshold: 50, overprovisioningFactor: 2 };
const of = (priorities: PriorityMembers<Routable>[], panicThreshold = 50): Route =>
  routeOf(priorities, { ...HEALTH, panicThreshold });
/** The route over a single group without zones. */
const inOneZone = (endpoints: Routable[], panicThreshold = 50) =>
  of([level(endpoints)], panicThreshold).priorities[0]!.localZone;

describe('the pickable endpoints', () => {
  test('are the healthy ones, in discovery order', () => {
    const [first, second] = [endpoint(), endpoint()];
    const traffic = of([level([AWAY, second, ILL, first])]);
    expect(traffic).toMatchObject({ pickable: [second, first], panic: false, healthy: 2, connected: 3 });
    expect(traffic.open).toMatchObject([
      { share: 1, localZone: { warm: [second, first], cold: [] }, otherZones: undefined },
    ]);
  });

  test('are none if none is connected', () => {
    expect(of([])).toMatchObject({ pickable: [], open: [], panic: false });
    expect(of([level([])])).toMatchObject({ pickable: [], open: [], panic: false, healthy: 0, connected: 0 });
    expect(of([level([AWAY, AWAY])])).toMatchObject({ pickable: [], open: [], panic: false });
  });
});

describe('panic', () => {
  test('makes all connected endpoints pickable', () => {
    expect(of([level([ILL, WELL, ILL, AWAY])])).toMatchObject({ pickable: [ILL, WELL, ILL], panic: true, healthy: 1 });
  });

  test('does not start at exactly half', () => {
    expect(of([level([ILL, WELL])])).toMatchObject({ pickable: [WELL], panic: false });
  });

  test('that is turned off leaves only healthy endpoints, or none', () => {
    expect(of([level([ILL, ILL, WELL])], 0)).toMatchObject({ pickable: [WELL], panic: false });
    expect(of([level([ILL, ILL])], 0)).toMatchObject({ pickable: [], open: [], panic: false });
  });

  test('does not start while a fallback has capacity; without capacity all connected endpoints are used', () => {
    const calm = of([level([ILL, ILL]), level([WELL], [], 1)]);
    expect(calm).toMatchObject({ pickable: [WELL], panic: false, open: [{ priority: 1, share: 1 }] });
    const panic = of([level([ILL, ILL]), level([ILL], [], 1)]);
    expect(panic).toMatchObject({ pickable: [ILL, ILL], panic: true, open: [{ priority: 0, share: 1 }] });
  });
});

describe('endpoints in slow start', () => {
  const COLD = endpoint({ warmth: 0.1 });

  test('are listed as cold', () => {
    expect(inOneZone([COLD, WELL])).toEqual({ pickable: [COLD, WELL], warm: [WELL], cold: [COLD] });
  });

  test('are listed as warm if all are in slow start', () => {
    expect(inOneZone([COLD, COLD])).toEqual({ pickable: [COLD, COLD], warm: [COLD, COLD], cold: [] });
  });

  test('are compared with pickable endpoints only', () => {
    expect(inOneZone([COLD, COLD, ILL])).toMatchObject({ warm: [COLD, COLD], cold: [] });
    // In panic the unhealthy ones are pickable.
    expect(inOneZone([COLD, ILL, ILL])).toMatchObject({ warm: [ILL, ILL], cold: [COLD] });
  });
});

describe('endpoints that wait for a probe', () => {
  const PROBING = endpoint({ healthy: false, probing: true });

  test('are listed if they are connected', () => {
    const away = endpoint({ connected: false, probing: true });
    const ejected = endpoint({ healthy: false });
    expect(of([level([WELL, PROBING, away, ejected, WELL])]).probing).toEqual([PROBING]);
  });

  test('are listed even in a priority without calls, since only a probe can bring them back', () => {
    expect(of([level([PROBING, AWAY]), level([WELL], [], 1)])).toMatchObject({ pickable: [WELL], probing: [PROBING] });
  });
});

describe('priorities', () => {
  const shares = (priorities: PriorityMembers<Routable>[]): number[] =>
    of(priorities).priorities.map(({ share }) => share);

  test.each<[Routable[], number[]]>([
    [
      [WELL, WELL, WELL, WELL],
      [1, 0],
    ],
    [
      [WELL, WELL, AWAY, AWAY],
      [1, 0],
    ],
    [
      [WELL, AWAY, ILL, AWAY],
      [0.5, 0.5],
    ],
    [
      [AWAY, AWAY, ILL, AWAY],
      [0, 1],
    ],
  ])('send what exceeds the capacity of the healthy ones of four endpoints to the fallback (%#)', (first, expected) => {
    expect(shares([level(first), level([WELL, WELL], [], 1)])).toEqual(expected);
  });

  test('without enough capacity together share the calls in proportion', () => {
    const quarter = [WELL, AWAY, AWAY, AWAY];
    const eighth = [WELL, ...Array.from({ length: 7 }, () => AWAY)];
    expect(shares([level(quarter), level(eighth, [], 1)])).toEqual([2 / 3, 1 / 3]);
  });
});

describe('zones', () => {
  const [HERE, THERE] = [endpoint(), endpoint({ weight: 3 })];
  const sides = (localZone: Routable[], otherZones: Routable[]) => of([level(localZone, otherZones)]).open[0]!;

  test('are two groups, and an even spread is by weight', () => {
    expect(sides([HERE, HERE], [THERE, THERE])).toMatchObject({
      localZone: { pickable: [HERE, HERE] },
      otherZones: { pickable: [THERE, THERE] },
      crossAtLeast: 0,
      evenShare: 0.75,
    });
  });

  test('become one group if one has no healthy endpoint', () => {
    expect(sides([ILL, AWAY], [THERE, THERE])).toMatchObject({
      localZone: { pickable: [THERE, THERE] },
      crossAtLeast: 1,
    });
    expect(sides([HERE, HERE], [ILL, AWAY])).toMatchObject({
      localZone: { pickable: [HERE, HERE] },
      otherZones: undefined,
    });
  });

  test('send calls across in proportion below half of the local zone', () => {
    expect(sides([HERE, AWAY, AWAY, AWAY], [THERE, THERE, THERE, THERE]).crossAtLeast).toBe(0.5);
  });
});

describe('zones', () => {
  const zoned = (localZone: Routable[], otherZones: Routable[], panicThreshold = 50) =>
    of([level(localZone, otherZones)], panicThreshold).priorities[0]!;

  test('split the endpoints; no call must cross while half of the local zone is healthy', () => {
    const [here, there] = [endpoint(), endpoint()];
    const routed = zoned([here, AWAY], [there, there, there]);
    expect(routed).toMatchObject({ zoned: true, crossAtLeast: 0, evenShare: 0.75, total: 5, healthy: 4 });
    expect(routed.localZone.pickable).toEqual([here]);
    expect(routed.otherZones!.pickable).toEqual([there, there, there]);
  });

  test('send across what exceeds the capacity of the local zone', () => {
    expect(zoned([WELL, AWAY, AWAY, AWAY], [WELL, WELL, WELL, WELL]).crossAtLeast).toBe(0.5);
    expect(zoned([ILL, AWAY], [WELL, WELL, WELL])).toMatchObject({ crossAtLeast: 1, otherZones: undefined });
    expect(zoned([ILL, AWAY], [WELL, WELL, WELL]).localZone.pickable).toEqual([WELL, WELL, WELL]);
  });

  test('send no call to other zones without connected endpoints', () => {
    expect(zoned([WELL, AWAY, AWAY, AWAY], [AWAY, AWAY])).toMatchObject({ crossAtLeast: 0, otherZones: undefined });
  });

  test('have an even share by weight', () => {
    const heavy = endpoint({ weight: 6 });
    expect(zoned([WELL, WELL], [heavy]).evenShare).toBe(0.75);
  });

  test('in panic spread the load evenly over all endpoints, local or not', () => {
    const routed = zoned([ILL, ILL], [ILL, ILL, ILL, ILL, ILL, WELL]);
    expect(routed).toMatchObject({ crossAtLeast: 0.75, evenShare: 0.75 });
    expect(routed.localZone.pickable).toHaveLength(2);
    expect(routed.otherZones!.pickable).toHaveLength(6);
    // Without panic the healthy one gets all calls.
    expect(zoned([ILL, ILL], [ILL, WELL], 0).localZone.pickable).toEqual([WELL]);
  });
});

test('capacities that add up to 1 but for rounding cause neither panic nor another priority', () => {
  // 1/10, 2/10 and 7/10 healthy, with a factor of 1: that adds up to 0.9999999999999999.
  const tenth = (healthy: number, priority: number): PriorityMembers<Routable> =>
    level(
      [...Array.from({ length: healthy }, () => WELL), ...Array.from({ length: 10 - healthy }, () => ILL)],
      [],
      priority,
    );
  const priorities = [tenth(1, 0), tenth(2, 1), tenth(7, 2), tenth(10, 3)];
  const traffic = routeOf(priorities, { ...HEALTH, overprovisioningFactor: 1 });
  expect(traffic.priorities.map(({ share }) => share)).toEqual([
    expect.closeTo(0.1),
    expect.closeTo(0.2),
    expect.closeTo(0.7),
    0,
  ]);
  expect(traffic.panic).toBe(false);
  expect(routeOf(priorities.slice(0, 3), { ...HEALTH, overprovisioningFactor: 1 }).panic).toBe(false);
});
