import { Metadata } from '@grpc/grpc-js';
import { expect, test } from 'vitest';
import { statedCriticality } from './criticality.js';

function stated(entries: Record<string, string>): string | undefined {
  const metadata = new Metadata();
  for (const [key, value] of Object.entries(entries)) metadata.set(key, value);
  return statedCriticality(metadata);
}

test.each([
  ['critical_plus', 'critical_plus'],
  ['sheddable', 'sheddable'],
  ['Sheddable', undefined],
  ['', undefined],
  ['toString', undefined],
])('the metadata key says %j', (value, expected) => {
  expect(stated({ 'x-criticality': value })).toBe(expected);
});

test.each([
  ['criticality=sheddable', 'sheddable'],
  ['tenant=7, criticality = sheddable_plus ;shown=yes,x=1', 'sheddable_plus'],
  ['mycriticality=sheddable', undefined],
  ['tenant=criticality=sheddable', undefined],
  ['criticality=shed%64able', undefined],
  ['criticality=sheddablest', undefined],
  [`${'a=b,'.repeat(3000)}criticality=sheddable`, undefined],
])('W3C baggage %.40j', (baggage, expected) => {
  expect(stated({ baggage })).toBe(expected);
});

test('the key wins over the baggage, unless it cannot be understood', () => {
  expect(stated({ 'x-criticality': 'critical', baggage: 'criticality=sheddable' })).toBe('critical');
  expect(stated({ 'x-criticality': 'urgent', baggage: 'criticality=sheddable' })).toBe('sheddable');
});
