import { expect, test } from 'vitest';
import { CRITICALITY_LEVELS } from './criticality.js';
import { Elsewhere } from './elsewhere.js';

const SHEDDABLE = CRITICALITY_LEVELS.indexOf('sheddable');
const CRITICAL = CRITICALITY_LEVELS.indexOf('critical');

test('ten shed calls go elsewhere at once, and later a tenth of the calls that succeed', () => {
  const elsewhere = new Elsewhere();
  const gone = (calls: number): number => Array.from({ length: calls }, () => elsewhere.shed()).filter(Boolean).length;
  expect(gone(100)).toBe(9);
  for (let i = 0; i < 1000; i++) elsewhere.succeeded();
  expect(gone(100)).toBe(9);
});

test('each criticality has its own share, and calls that state none are critical', () => {
  const elsewhere = new Elsewhere();
  for (let i = 0; i < 1000; i++) elsewhere.shed(SHEDDABLE);
  expect([elsewhere.shed(SHEDDABLE), elsewhere.shed(CRITICAL), elsewhere.shed()]).toEqual([false, true, true]);
  for (let i = 0; i < 20; i++) elsewhere.shed();
  expect(elsewhere.shed(CRITICAL)).toBe(false);
});
