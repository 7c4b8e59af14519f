import { Metadata } from '@grpc/grpc-js';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { CRITICALITY_LEVELS } from '../core/call/criticality.js';
import { believedCriticality, statedCriticality } from './criticality.js';

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

test('strangers cannot claim critical_plus where they are not trusted, and may claim less', () => {
  const metadata = new Metadata();
  metadata.set('x-criticality', 'critical_plus');
  expect([believedCriticality(metadata, true), believedCriticality(metadata, false)]).toEqual([
    'critical_plus',
    'critical',
  ]);
  metadata.set('x-criticality', 'sheddable');
  expect(believedCriticality(metadata, false)).toBe('sheddable');
  expect(believedCriticality(new Metadata(), false)).toBeUndefined();
});

/**
 * The first member whose key is `criticality`, read by splitting: "baggage-string = list-member 0*179( OWS "," OWS
 * list-member ); list-member = key OWS "=" OWS value *( OWS ";" OWS property )".
 */
function membersOf(baggage: string): string | undefined {
  const value = baggage
    .split(',')
    .map((member) => member.split(';')[0]!)
    .flatMap((pair) => {
      const at = pair.indexOf('=');
      return at >= 0 && ows(pair.slice(0, at)) === 'criticality' ? [ows(pair.slice(at + 1))] : [];
    })
    // A value with other characters is none that could be understood.
    .find((each) => /^[a-z_]+$/.test(each));
  return (CRITICALITY_LEVELS as readonly string[]).includes(value!) ? value : undefined;
}

/** "OWS = *( SP / HTAB )". */
function ows(text: string): string {
  return text.replace(/^[ \t]+|[ \t]+$/g, '');
}

const piece = fc.oneof(
  fc.constantFrom('criticality', '=', ',', ';', ' ', 'x', 'mycriticality', '%2C', '"', 'criticality=sheddable'),
  fc.constantFrom(...CRITICALITY_LEVELS),
  // What may be in a header.
  fc.string({
    minLength: 0,
    maxLength: 4,
    unit: fc.integer({ min: 0x20, max: 0x7e }).map((c) => String.fromCharCode(c)),
  }),
);

test('any baggage is read as the recommendation says', () => {
  const property = fc.property(fc.array(piece, { maxLength: 40 }), (pieces) => {
    // Leading and trailing blanks belong to the header.
    const baggage = pieces.join('').trim();
    expect(stated({ baggage })).toBe(membersOf(baggage));
  });
  fc.assert(property, { seed: 1, numRuns: 3000 });
});

test.each([
  ['no member ends', 'criticality='.repeat(20_000)],
  ['blanks', `criticality${' '.repeat(60_000)}`],
  ['letters', `criticality=${'s'.repeat(60_000)}`],
  ['commas', ','.repeat(60_000)],
])('baggage that is made to take long takes no time: %s', (_, baggage) => {
  const metadata = new Metadata();
  metadata.set('baggage', baggage);
  const began = performance.now();
  for (let i = 0; i < 20; i++) statedCriticality(metadata);
  expect(performance.now() - began).toBeLessThan(500);
});
