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
  readonly degraded?: boolean;
}

/** An endpoint as the route sees it. */
function endpoint({
  connected = true,
  healthy = connected,
  warmth = 1,
  weight = 1,
  probing = false,
  degraded = false,
}: Sketch = {}): Routable {
  return { connected, healthy, warmth, weight, probing, degraded };
}

const HEALTHY = endpoint();
const UNHEALTHY = endpoint({ healthy: false });
const DEGRADED = endpoint({ healthy: false, degraded: true });
const AWAY = endpoint({ connected: false });

const priorityOf = (localZone: Routable[], otherZones: Routable[] = [], priority = 0): PriorityMembers<Routable> => ({
  priority,
  localZone,
  otherZones,
});

const HEALTH = { enabled: true, service: '', panicThreshold: 50, overprovisioningFactor: 2 };
const of = (priorities: PriorityMembers<Routable>[], panicThreshold = 50): Route =>
  routeOf(priorities, { ...HEALTH, panicThreshold });
/** The route over a single group without zones. */
const inOneZone = (endpoints: Routable[], panicThreshold = 50) =>
  of([priorityOf(endpoints)], panicThreshold).priorities[0]!.localZone;

describe('the pickable endpoints', () => {
  test('are the healthy ones, in discovery order', () => {
    const [first, second] = [endpoint(), endpoint()];
    const route = of([priorityOf([AWAY, second, UNHEALTHY, first])]);
    expect(route).toMatchObject({ pickable: [second, first], panic: false, healthy: 2, connected: 3 });
    expect(route.open).toMatchObject([
      { share: 1, localZone: { warm: [second, first], cold: [] }, otherZones: undefined },
    ]);
  });

  test('are none if none is connected', () => {
    expect(of([])).toMatchObject({ pickable: [], open: [], panic: false });
    expect(of([priorityOf([])])).toMatchObject({ pickable: [], open: [], panic: false, healthy: 0, connected: 0 });
    expect(of([priorityOf([AWAY, AWAY])])).toMatchObject({ pickable: [], open: [], panic: false });
  });
});

describe('degraded endpoints', () => {
  const sharesOf = ({ open }: Route) =>
    open.map(({ priority, share, localZone }) => [priority, share, localZone.pickable]);

  test('get no calls while the healthy ones can carry all', () => {
    const route = of([priorityOf([HEALTHY, DEGRADED, HEALTHY, DEGRADED])]);
    expect(route).toMatchObject({ pickable: [HEALTHY, HEALTHY], panic: false, healthy: 2, connected: 4 });
    expect(route.priorities).toMatchObject([{ healthy: 2, degraded: 2, share: 1 }]);
  });

  test('get what the healthy ones cannot carry, without panic', () => {
    const route = of([priorityOf([HEALTHY, DEGRADED, DEGRADED, DEGRADED])]);
    expect(sharesOf(route)).toEqual([
      [0, 0.5, [HEALTHY]],
      [0, 0.5, [DEGRADED, DEGRADED, DEGRADED]],
    ]);
    expect(route.panic).toBe(false);
  });

  test('get all calls where no other endpoint is healthy', () => {
    const route = of([priorityOf([DEGRADED, UNHEALTHY, DEGRADED, AWAY])]);
    expect(route).toMatchObject({ pickable: [DEGRADED, DEGRADED], panic: false, healthy: 0 });
    expect(sharesOf(route)).toEqual([[0, 1, [DEGRADED, DEGRADED]]]);
  });

  test('of a better priority come after the healthy ones of all priorities', () => {
    const fallback = endpoint();
    const calm = of([priorityOf([HEALTHY, DEGRADED, DEGRADED, DEGRADED]), priorityOf([fallback], [], 1)]);
    expect(sharesOf(calm)).toEqual([
      [0, 0.5, [HEALTHY]],
      [1, 0.5, [fallback]],
    ]);
    const short = of([priorityOf([DEGRADED, DEGRADED]), priorityOf([fallback, AWAY, AWAY, AWAY], [], 1)]);
    expect(sharesOf(short)).toEqual([
      [1, 0.5, [fallback]],
      [0, 0.5, [DEGRADED, DEGRADED]],
    ]);
  });

  test('are used like all others in a panic, and not twice', () => {
    const route = of([priorityOf([DEGRADED, UNHEALTHY, UNHEALTHY, UNHEALTHY])]);
    expect(route).toMatchObject({ pickable: [DEGRADED, UNHEALTHY, UNHEALTHY, UNHEALTHY], panic: true });
    expect(sharesOf(route)).toMatchObject([[0, 1, { length: 4 }]]);
  });

  test('prefer the local zone', () => {
    const other = endpoint({ healthy: false, degraded: true });
    const route = of([priorityOf([DEGRADED], [other])]);
    expect(route.open).toMatchObject([
      { share: 1, localZone: { pickable: [DEGRADED] }, otherZones: { pickable: [other] }, crossAtLeast: 0 },
    ]);
  });
});

describe('panic', () => {
  test('makes all connected endpoints pickable', () => {
    expect(of([priorityOf([UNHEALTHY, HEALTHY, UNHEALTHY, AWAY])])).toMatchObject({
      pickable: [UNHEALTHY, HEALTHY, UNHEALTHY],
      panic: true,
      healthy: 1,
    });
  });

  test('does not start at exactly half', () => {
    expect(of([priorityOf([UNHEALTHY, HEALTHY])])).toMatchObject({ pickable: [HEALTHY], panic: false });
  });

  test('that is turned off leaves only healthy endpoints, or none', () => {
    expect(of([priorityOf([UNHEALTHY, UNHEALTHY, HEALTHY])], 0)).toMatchObject({ pickable: [HEALTHY], panic: false });
    expect(of([priorityOf([UNHEALTHY, UNHEALTHY])], 0)).toMatchObject({ pickable: [], open: [], panic: false });
  });

  test('does not start while a fallback has capacity; without capacity all connected endpoints are used', () => {
    const calm = of([priorityOf([UNHEALTHY, UNHEALTHY]), priorityOf([HEALTHY], [], 1)]);
    expect(calm).toMatchObject({ pickable: [HEALTHY], panic: false, open: [{ priority: 1, share: 1 }] });
    const panic = of([priorityOf([UNHEALTHY, UNHEALTHY]), priorityOf([UNHEALTHY], [], 1)]);
    expect(panic).toMatchObject({ pickable: [UNHEALTHY, UNHEALTHY], panic: true, open: [{ priority: 0, share: 1 }] });
  });
});

describe('endpoints in slow start', () => {
  const COLD = endpoint({ warmth: 0.1 });

  test('are listed as cold', () => {
    expect(inOneZone([COLD, HEALTHY])).toEqual({ pickable: [COLD, HEALTHY], warm: [HEALTHY], cold: [COLD] });
  });

  test('are listed as warm if all are in slow start', () => {
    expect(inOneZone([COLD, COLD])).toEqual({ pickable: [COLD, COLD], warm: [COLD, COLD], cold: [] });
  });

  test('are compared with pickable endpoints only', () => {
    expect(inOneZone([COLD, COLD, UNHEALTHY])).toMatchObject({ warm: [COLD, COLD], cold: [] });
    // In panic the unhealthy ones are pickable.
    expect(inOneZone([COLD, UNHEALTHY, UNHEALTHY])).toMatchObject({ warm: [UNHEALTHY, UNHEALTHY], cold: [COLD] });
  });
});

describe('endpoints that wait for a probe', () => {
  const PROBING = endpoint({ healthy: false, probing: true });

  test('are listed if they are connected', () => {
    const away = endpoint({ connected: false, probing: true });
    const ejected = endpoint({ healthy: false });
    expect(of([priorityOf([HEALTHY, PROBING, away, ejected, HEALTHY])]).probing).toEqual([PROBING]);
  });

  test('are listed even in a priority without calls, since only a probe can bring them back', () => {
    expect(of([priorityOf([PROBING, AWAY]), priorityOf([HEALTHY], [], 1)])).toMatchObject({
      pickable: [HEALTHY],
      probing: [PROBING],
    });
  });
});

describe('priorities', () => {
  const shares = (priorities: PriorityMembers<Routable>[]): number[] =>
    of(priorities).priorities.map(({ share }) => share);

  test.each<[Routable[], number[]]>([
    [
      [HEALTHY, HEALTHY, HEALTHY, HEALTHY],
      [1, 0],
    ],
    [
      [HEALTHY, HEALTHY, AWAY, AWAY],
      [1, 0],
    ],
    [
      [HEALTHY, AWAY, UNHEALTHY, AWAY],
      [0.5, 0.5],
    ],
    [
      [AWAY, AWAY, UNHEALTHY, AWAY],
      [0, 1],
    ],
  ])('send what exceeds the capacity of the healthy ones of four endpoints to the fallback (%#)', (first, expected) => {
    expect(shares([priorityOf(first), priorityOf([HEALTHY, HEALTHY], [], 1)])).toEqual(expected);
  });

  test('without enough capacity together share the calls in proportion', () => {
    const quarter = [HEALTHY, AWAY, AWAY, AWAY];
    const eighth = [HEALTHY, ...Array.from({ length: 7 }, () => AWAY)];
    expect(shares([priorityOf(quarter), priorityOf(eighth, [], 1)])).toEqual([2 / 3, 1 / 3]);
  });
});

describe('zones', () => {
  const [HERE, THERE] = [endpoint(), endpoint({ weight: 3 })];
  const zonesOf = (localZone: Routable[], otherZones: Routable[]) => of([priorityOf(localZone, otherZones)]).open[0]!;

  test('are two groups, and an even spread is by weight', () => {
    expect(zonesOf([HERE, HERE], [THERE, THERE])).toMatchObject({
      localZone: { pickable: [HERE, HERE] },
      otherZones: { pickable: [THERE, THERE] },
      crossAtLeast: 0,
      evenShare: 0.75,
    });
  });

  test('become one group if one has no healthy endpoint', () => {
    expect(zonesOf([UNHEALTHY, AWAY], [THERE, THERE])).toMatchObject({
      localZone: { pickable: [THERE, THERE] },
      crossAtLeast: 1,
    });
    expect(zonesOf([HERE, HERE], [UNHEALTHY, AWAY])).toMatchObject({
      localZone: { pickable: [HERE, HERE] },
      otherZones: undefined,
    });
  });

  test('send calls across in proportion below half of the local zone', () => {
    expect(zonesOf([HERE, AWAY, AWAY, AWAY], [THERE, THERE, THERE, THERE]).crossAtLeast).toBe(0.5);
  });
});

describe('zones', () => {
  const zoned = (localZone: Routable[], otherZones: Routable[], panicThreshold = 50) =>
    of([priorityOf(localZone, otherZones)], panicThreshold).priorities[0]!;

  test('split the endpoints; no call must cross while half of the local zone is healthy', () => {
    const [here, there] = [endpoint(), endpoint()];
    const routed = zoned([here, AWAY], [there, there, there]);
    expect(routed).toMatchObject({ zoned: true, crossAtLeast: 0, evenShare: 0.75, total: 5, healthy: 4 });
    expect(routed.localZone.pickable).toEqual([here]);
    expect(routed.otherZones!.pickable).toEqual([there, there, there]);
  });

  test('send across what exceeds the capacity of the local zone', () => {
    expect(zoned([HEALTHY, AWAY, AWAY, AWAY], [HEALTHY, HEALTHY, HEALTHY, HEALTHY]).crossAtLeast).toBe(0.5);
    expect(zoned([UNHEALTHY, AWAY], [HEALTHY, HEALTHY, HEALTHY])).toMatchObject({
      crossAtLeast: 1,
      otherZones: undefined,
    });
    expect(zoned([UNHEALTHY, AWAY], [HEALTHY, HEALTHY, HEALTHY]).localZone.pickable).toEqual([
      HEALTHY,
      HEALTHY,
      HEALTHY,
    ]);
  });

  test('send no call to other zones without connected endpoints', () => {
    expect(zoned([HEALTHY, AWAY, AWAY, AWAY], [AWAY, AWAY])).toMatchObject({ crossAtLeast: 0, otherZones: undefined });
  });

  test('have an even share by weight', () => {
    const heavy = endpoint({ weight: 6 });
    expect(zoned([HEALTHY, HEALTHY], [heavy]).evenShare).toBe(0.75);
  });

  test('in panic spread the load evenly over all endpoints, local or not', () => {
    const routed = zoned([UNHEALTHY, UNHEALTHY], [UNHEALTHY, UNHEALTHY, UNHEALTHY, UNHEALTHY, UNHEALTHY, HEALTHY]);
    expect(routed).toMatchObject({ crossAtLeast: 0.75, evenShare: 0.75 });
    expect(routed.localZone.pickable).toHaveLength(2);
    expect(routed.otherZones!.pickable).toHaveLength(6);
    // Without panic the healthy one gets all calls.
    expect(zoned([UNHEALTHY, UNHEALTHY], [UNHEALTHY, HEALTHY], 0).localZone.pickable).toEqual([HEALTHY]);
  });
});

test('capacities that add up to 1 but for rounding cause neither panic nor another priority', () => {
  // 1/10, 2/10 and 7/10 healthy, with a factor of 1: that adds up to 0.9999999999999999.
  const tenth = (healthy: number, priority: number): PriorityMembers<Routable> =>
    priorityOf(
      [...Array.from({ length: healthy }, () => HEALTHY), ...Array.from({ length: 10 - healthy }, () => UNHEALTHY)],
      [],
      priority,
    );
  const priorities = [tenth(1, 0), tenth(2, 1), tenth(7, 2), tenth(10, 3)];
  const route = routeOf(priorities, { ...HEALTH, overprovisioningFactor: 1 });
  expect(route.priorities.map(({ share }) => share)).toEqual([
    expect.closeTo(0.1),
    expect.closeTo(0.2),
    expect.closeTo(0.7),
    0,
  ]);
  expect(route.panic).toBe(false);
  expect(routeOf(priorities.slice(0, 3), { ...HEALTH, overprovisioningFactor: 1 }).panic).toBe(false);
});
