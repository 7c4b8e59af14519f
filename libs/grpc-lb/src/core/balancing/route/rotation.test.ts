import { expect, test } from 'vitest';
import { censusOf, rotationOf } from './rotation.js';

const healthy = { connected: true, healthy: true, probing: false };

test('each endpoint is either warm or cold, also one whose slow start ends in the meantime', () => {
  let reads = 0;
  const old = { ...healthy, warmth: 1 };
  const newcomer = {
    ...healthy,
    get warmth(): number {
      return reads++ === 0 ? 0.999 : 1;
    },
  };
  const { pickable, warm, cold } = rotationOf(censusOf([old, newcomer]), false);
  expect(pickable).toHaveLength(2);
  expect([...warm, ...cold]).toEqual([old, newcomer]);
});
