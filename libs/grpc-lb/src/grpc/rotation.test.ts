import { describe, expect, test } from 'vitest';
import type { PooledEndpoint } from './pooled-endpoint.js';
import { rotationOf } from './rotation.js';

interface Endpoint {
  readonly connected?: boolean;
  readonly well?: boolean;
  readonly warmth?: number;
  readonly outlier?: 'admitted' | 'ejected' | 'probing';
}

/** As far as a rotation looks at it. */
function endpoint({
  connected = true,
  well = connected,
  warmth = 1,
  outlier = 'admitted',
}: Endpoint = {}): PooledEndpoint {
  return { connected, well, warmth, outlier: { state: { kind: outlier } } } as unknown as PooledEndpoint;
}

const WELL = endpoint();
const ILL = endpoint({ well: false });
const AWAY = endpoint({ connected: false });

describe('who may be picked', () => {
  test('are those that are well, in the order of discovery', () => {
    const [first, second] = [endpoint(), endpoint()];
    expect(rotationOf([AWAY, second, ILL, first], 50)).toMatchObject({
      pickable: [second, first],
      warm: [second, first],
      cold: [],
      panic: false,
      well: 2,
      connected: 3,
    });
  });

  test('is nobody when nobody is connected', () => {
    for (const none of [[], [AWAY, AWAY]]) {
      expect(rotationOf(none, 50)).toEqual({
        pickable: [],
        warm: [],
        cold: [],
        probing: [],
        panic: false,
        well: 0,
        connected: 0,
      });
    }
  });
});

describe('panic', () => {
  test('takes in all that are connected', () => {
    expect(rotationOf([ILL, WELL, ILL, AWAY], 50)).toMatchObject({ pickable: [ILL, WELL, ILL], panic: true, well: 1 });
  });

  test('is not at exactly half', () => {
    expect(rotationOf([ILL, WELL], 50)).toMatchObject({ pickable: [WELL], panic: false });
  });

  test('that is turned off leaves the well ones, or none', () => {
    expect(rotationOf([ILL, ILL, WELL], 0)).toMatchObject({ pickable: [WELL], panic: false });
    expect(rotationOf([ILL, ILL], 0)).toMatchObject({ pickable: [], warm: [], panic: false });
  });
});

describe('those that start slowly', () => {
  const COLD = endpoint({ warmth: 0.1 });

  test('stand aside', () => {
    expect(rotationOf([COLD, WELL], 50)).toMatchObject({ pickable: [COLD, WELL], warm: [WELL], cold: [COLD] });
  });

  test('are equal when all do', () => {
    expect(rotationOf([COLD, COLD], 50)).toMatchObject({ pickable: [COLD, COLD], warm: [COLD, COLD], cold: [] });
  });

  test('do so among those that may be picked: the warmth of others does not count', () => {
    const warmButIll = endpoint({ well: false });
    expect(rotationOf([COLD, COLD, warmButIll], 50)).toMatchObject({ warm: [COLD, COLD], cold: [] });
    // In panic it may be picked.
    expect(rotationOf([COLD, ILL, ILL], 50)).toMatchObject({ warm: [ILL, ILL], cold: [COLD], panic: true });
  });
});

test('those that wait for their probe are named, if they are connected', () => {
  const probing = endpoint({ well: false, outlier: 'probing' });
  const away = endpoint({ connected: false, outlier: 'probing' });
  const ejected = endpoint({ well: false, outlier: 'ejected' });
  expect(rotationOf([WELL, probing, away, ejected, WELL], 50).probing).toEqual([probing]);
});
