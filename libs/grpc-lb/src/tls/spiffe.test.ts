import { describe, expect, test } from 'vitest';
import type { Fault } from '../core/errors.js';
import { spiffeFault, spiffeIdCheck } from './spiffe.js';

const fault = (allowed: string[], subjectAltName: string | undefined, ca = false) =>
  spiffeFault(allowed, { ca, subjectAltName } as never);

describe('a peer is accepted', () => {
  test.each([
    ['spiffe://a/b', 'URI:spiffe://a/b'],
    ['spiffe://a/*', 'URI:spiffe://a/b/c'],
    ['spiffe://a/b/*', 'URI:spiffe://a/b/c, DNS:orders'],
  ])('%s: %s', (allowed, names) => expect(fault(['spiffe://x/y', allowed], names)).toBeUndefined());
});

describe('a peer is refused', () => {
  test.each([
    [
      'spiffe://a/b',
      'URI:spiffe://a/bc',
      /names spiffe:\/\/a\/bc, which is not one of the allowed ids: spiffe:\/\/a\/b/,
    ],
    ['spiffe://a/b', 'URI:spiffe://a/B', /is not one/],
    ['spiffe://a/*', 'URI:spiffe://ab/c', /is not one/],
    ['spiffe://a/*', 'URI:spiffe://a/', /is not one/],
    ['spiffe://a/*', 'URI:spiffe://a', /is not one/],
    ['spiffe://a/b/*', 'URI:spiffe://a/b/../c', /is not one/],
    ['spiffe://a/b', 'URI:spiffe://a/b, URI:spiffe://a/c', /names 2 URIs/],
    ['spiffe://a/b', 'URI:https://a/b', /not a SPIFFE id/],
    ['spiffe://a/b', 'DNS:"x, URI:spiffe://a/b"', /names no SPIFFE id/],
    ['spiffe://a/b', undefined, /names no SPIFFE id/],
  ])('%s: %s', (allowed, names, why) => expect(fault([allowed], names)).toMatch(why));

  test('if it shows the certificate of a CA', () => {
    expect(fault(['spiffe://a/b'], 'URI:spiffe://a/b', true)).toMatch(/that of a CA/);
  });
});

describe('an option', () => {
  const faultsOf = (id: unknown): Fault[] => {
    const faults: Fault[] = [];
    spiffeIdCheck('tls.spiffeIds[0]', id, faults);
    return faults;
  };

  test.each(['spiffe://example.org/ns/shop/sa/orders', 'spiffe://example.org', 'spiffe://example.org/*'])(
    '%s is valid',
    (id) => expect(faultsOf(id)).toEqual([]),
  );

  test.each([
    'spiffe://example.org/',
    'spiffe://Example.org/a',
    'spiffe://example.org:443/a',
    'spiffe://example.org/a/../b',
    'spiffe://example.org/a*',
    'https://example.org/a',
    `spiffe://a/${'b'.repeat(2048)}`,
    7,
  ])('%s is not', (id) => expect(faultsOf(id)).toHaveLength(1));
});
