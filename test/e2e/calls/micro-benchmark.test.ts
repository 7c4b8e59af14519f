import { expect, test } from 'vitest';
import { unaryCall, wireOf } from '../../../bench/micro/wire.js';

// CI compiles the benchmarks, and does not run them: their wire stands in for connections and endpoints.
test.each(['least_request', 'adaptive'] as const)('the calls of the benchmark succeed with %s', (name) => {
  const { environment, picker } = wireOf({ name }, 10);
  const args = { path: '/bench.v1.Worker/Work', deadline: Infinity, host: undefined, parent: null, flags: 0 };
  for (let i = 0; i < 20; i++) unaryCall(environment, args);
  const sum = (key: 'started' | 'succeeded' | 'inFlight'): number =>
    picker.pickable.reduce((total, member) => total + member[key], 0);
  expect([sum('started'), sum('succeeded'), sum('inFlight')]).toEqual([20, 20, 0]);
});
