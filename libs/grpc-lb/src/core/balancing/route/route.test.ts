import { describe, expect, test } from 'vitest';
import { type PooledLevel, type Routable, type Traffic as TrafficOf, trafficOf } from './route.js';

type Traffic = TrafficOf<Routable>;

interface Sketch {
  readonly connected?: boolean;
  readonly well?: boolean;
  readonly warmth?: number;
  readonly weight?: number;
  readonly probing?: boolean;
}

/** As far as traffic looks at it. */
function endpoint({
  connected = true,
  well = connected,
  warmth = 1,
  weight = 1,
  probing = false,
}: Sketch = {}): Routable {
  return { connected, well, warmth, weight, probing };
}

const WELL = endpoint();
const ILL = endpoint({ well: false });
const AWAY = endpoint({ connected: false });

const level = (own: Routable[], others: Routable[] = [], priority = 0): PooledLevel<Routable> => ({
  priority,
  own,
  others,
});

const HEALTH = { enabled: true, service: '', panicThreshold: 50, overprovisioningFactor: 2 };
const of = (levels: PooledLevel<Routable>[], panicThreshold = 50): Traffic =>
  trafficOf(levels, { ...HEALTH, panicThreshold });
/** Of one group, without zones. */
const near = (endpoints: Routable[], panicThreshold = 50) => of([level(endpoints)], panicThreshold).levels[0]!.near;

describe('who may be picked', () => {
  test('are those that are well, in the order of discovery', () => {
    const [first, second] = [endpoint(), endpoint()];
    const traffic = of([level([AWAY, second, ILL, first])]);
    expect(traffic).toMatchObject({ pickable: [second, first], panic: false, well: 2, connected: 3 });
    expect(traffic.open).toMatchObject([{ share: 1, near: { warm: [second, first], cold: [] }, far: undefined }]);
  });

  test('is nobody when nobody is connected', () => {
    expect(of([])).toMatchObject({ pickable: [], open: [], panic: false });
    expect(of([level([])])).toMatchObject({ pickable: [], open: [], panic: false, well: 0, connected: 0 });
    expect(of([level([AWAY, AWAY])])).toMatchObject({ pickable: [], open: [], panic: false });
  });
});

describe('panic', () => {
  test('takes in all that are connected', () => {
    expect(of([level([ILL, WELL, ILL, AWAY])])).toMatchObject({ pickable: [ILL, WELL, ILL], panic: true, well: 1 });
  });

  test('is not at exactly half', () => {
    expect(of([level([ILL, WELL])])).toMatchObject({ pickable: [WELL], panic: false });
  });

  test('that is turned off leaves the well ones, or none', () => {
    expect(of([level([ILL, ILL, WELL])], 0)).toMatchObject({ pickable: [WELL], panic: false });
    expect(of([level([ILL, ILL])], 0)).toMatchObject({ pickable: [], open: [], panic: false });
  });

  test('is not while a fallback can bear the calls; when nobody can, all that are connected are used', () => {
    const calm = of([level([ILL, ILL]), level([WELL], [], 1)]);
    expect(calm).toMatchObject({ pickable: [WELL], panic: false, open: [{ priority: 1, share: 1 }] });
    const panic = of([level([ILL, ILL]), level([ILL], [], 1)]);
    expect(panic).toMatchObject({ pickable: [ILL, ILL], panic: true, open: [{ priority: 0, share: 1 }] });
  });
});

describe('those that start slowly', () => {
  const COLD = endpoint({ warmth: 0.1 });

  test('stand aside', () => {
    expect(near([COLD, WELL])).toEqual({ pickable: [COLD, WELL], warm: [WELL], cold: [COLD] });
  });

  test('are equal when all do', () => {
    expect(near([COLD, COLD])).toEqual({ pickable: [COLD, COLD], warm: [COLD, COLD], cold: [] });
  });

  test('do so among those that may be picked: the warmth of others does not count', () => {
    expect(near([COLD, COLD, ILL])).toMatchObject({ warm: [COLD, COLD], cold: [] });
    // In panic it may be picked.
    expect(near([COLD, ILL, ILL])).toMatchObject({ warm: [ILL, ILL], cold: [COLD] });
  });
});

describe('those that wait for their probe', () => {
  const PROBING = endpoint({ well: false, probing: true });

  test('are named, if they are connected', () => {
    const away = endpoint({ connected: false, probing: true });
    const ejected = endpoint({ well: false });
    expect(of([level([WELL, PROBING, away, ejected, WELL])]).probing).toEqual([PROBING]);
  });

  test('are named also where no other call goes, as only a probe can bring them back', () => {
    expect(of([level([PROBING, AWAY]), level([WELL], [], 1)])).toMatchObject({ pickable: [WELL], probing: [PROBING] });
  });
});

describe('priorities', () => {
  const shares = (levels: PooledLevel<Routable>[]): number[] => of(levels).levels.map(({ share }) => share);

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
  ])('of four of which some are well, the fallback gets what they cannot bear (%#)', (first, expected) => {
    expect(shares([level(first), level([WELL, WELL], [], 1)])).toEqual(expected);
  });

  test('that can bear only a part together share it in proportion', () => {
    const quarter = [WELL, AWAY, AWAY, AWAY];
    const eighth = [WELL, ...Array.from({ length: 7 }, () => AWAY)];
    expect(shares([level(quarter), level(eighth, [], 1)])).toEqual([2 / 3, 1 / 3]);
  });
});

describe('zones', () => {
  const [HERE, THERE] = [endpoint(), endpoint({ weight: 3 })];
  const sides = (own: Routable[], others: Routable[]) => of([level(own, others)]).open[0]!;

  test('are two groups, and an even spread goes by weight', () => {
    expect(sides([HERE, HERE], [THERE, THERE])).toMatchObject({
      near: { pickable: [HERE, HERE] },
      far: { pickable: [THERE, THERE] },
      crossAtLeast: 0,
      evenShare: 0.75,
    });
  });

  test('of which one has nobody that is well are one group', () => {
    expect(sides([ILL, AWAY], [THERE, THERE])).toMatchObject({ near: { pickable: [THERE, THERE] }, crossAtLeast: 1 });
    expect(sides([HERE, HERE], [ILL, AWAY])).toMatchObject({ near: { pickable: [HERE, HERE] }, far: undefined });
  });

  test('below half of the own zone calls cross in proportion', () => {
    expect(sides([HERE, AWAY, AWAY, AWAY], [THERE, THERE, THERE, THERE]).crossAtLeast).toBe(0.5);
  });
});

describe('zones', () => {
  const zoned = (own: Routable[], others: Routable[], panicThreshold = 50) =>
    of([level(own, others)], panicThreshold).levels[0]!;

  test('part the endpoints; nobody must cross while half of the own zone are well', () => {
    const [here, there] = [endpoint(), endpoint()];
    const routed = zoned([here, AWAY], [there, there, there]);
    expect(routed).toMatchObject({ zoned: true, crossAtLeast: 0, evenShare: 0.75, known: 5, well: 4 });
    expect(routed.near.pickable).toEqual([here]);
    expect(routed.far!.pickable).toEqual([there, there, there]);
  });

  test('as many must cross as the own zone cannot bear', () => {
    expect(zoned([WELL, AWAY, AWAY, AWAY], [WELL, WELL, WELL, WELL]).crossAtLeast).toBe(0.5);
    expect(zoned([ILL, AWAY], [WELL, WELL, WELL])).toMatchObject({ crossAtLeast: 1, far: undefined });
    expect(zoned([ILL, AWAY], [WELL, WELL, WELL]).near.pickable).toEqual([WELL, WELL, WELL]);
  });

  test('nobody can cross to where nobody is', () => {
    expect(zoned([WELL, AWAY, AWAY, AWAY], [AWAY, AWAY])).toMatchObject({ crossAtLeast: 0, far: undefined });
  });

  test('an even share is one by weight', () => {
    const heavy = endpoint({ weight: 6 });
    expect(zoned([WELL, WELL], [heavy]).evenShare).toBe(0.75);
  });

  test('in panic the load is spread over all: nobody is called more for being elsewhere', () => {
    const routed = zoned([ILL, ILL], [ILL, ILL, ILL, ILL, ILL, WELL]);
    expect(routed).toMatchObject({ crossAtLeast: 0.75, evenShare: 0.75 });
    expect(routed.near.pickable).toHaveLength(2);
    expect(routed.far!.pickable).toHaveLength(6);
    // Without panic the one that is well gets all.
    expect(zoned([ILL, ILL], [ILL, WELL], 0).near.pickable).toEqual([WELL]);
  });
});

test('sums that miss one by a hair bring neither panic nor a priority more', () => {
  // 1/10, 2/10 and 7/10 of them, by a factor of 1: that adds up to 0.9999999999999999.
  const tenth = (well: number, priority: number): PooledLevel<Routable> =>
    level([...Array.from({ length: well }, () => WELL), ...Array.from({ length: 10 - well }, () => ILL)], [], priority);
  const levels = [tenth(1, 0), tenth(2, 1), tenth(7, 2), tenth(10, 3)];
  const traffic = trafficOf(levels, { ...HEALTH, overprovisioningFactor: 1 });
  expect(traffic.levels.map(({ share }) => share)).toEqual([
    expect.closeTo(0.1),
    expect.closeTo(0.2),
    expect.closeTo(0.7),
    0,
  ]);
  expect(traffic.panic).toBe(false);
  expect(trafficOf(levels.slice(0, 3), { ...HEALTH, overprovisioningFactor: 1 }).panic).toBe(false);
});
