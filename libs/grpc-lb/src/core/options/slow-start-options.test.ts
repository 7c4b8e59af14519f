import { expect, test } from 'vitest';
import { effectiveSlowStart } from './slow-start-options.js';

test('slow start by default lasts 10 s, starts with 5 %, and grows as the square of the time', () => {
  const defaults = { enabled: true, window: 10_000, aggression: 0.5, minShare: 0.05 };
  expect(effectiveSlowStart()).toStrictEqual(defaults);
  expect(effectiveSlowStart({ enabled: false })).toStrictEqual({ ...defaults, enabled: false });
});
