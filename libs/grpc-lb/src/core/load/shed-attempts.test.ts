import { expect, test } from 'vitest';
import { ShedAttempts } from './shed-attempts.js';

test('an endpoint sheds until it has answered, and shed nothing for ten seconds; each is told once', () => {
  const shed = new ShedAttempts();
  expect([shed.answered(0), shed.add('sheddable', 1000), shed.add('critical', 2000)]).toEqual([false, true, false]);
  expect([shed.answered(11_999), shed.sheds(11_999)]).toEqual([false, true]);
  expect([shed.answered(12_000), shed.answered(12_001), shed.sheds(12_000)]).toEqual([true, false, false]);
  expect(shed.add('sheddable', 13_000)).toBe(true);
  expect(shed.counts).toEqual({ sheddable: 2, critical: 1 });
});
