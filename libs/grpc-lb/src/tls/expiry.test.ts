import { expect, test } from 'vitest';
import { defaultNotice, duration } from './expiry.js';

const DAY = 86_400_000;

test.each([
  [90 * DAY, 7 * DAY],
  [DAY, 0.2 * DAY],
  [-DAY, 0],
])('a certificate for %d ms is expiring %d ms before its end', (lifetime, notice) => {
  expect(defaultNotice({ from: 0, until: lifetime })).toBe(notice);
});

test.each([
  [3 * DAY, '3 days'],
  [1.5 * DAY, '36 hours'],
  [90_000, '90 seconds'],
  [1000, '1 second'],
  [-5, '0 seconds'],
])('%d ms are %s', (ms, text) => expect(duration(ms)).toBe(text));
