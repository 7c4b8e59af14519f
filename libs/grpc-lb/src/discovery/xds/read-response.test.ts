import { expect, test } from 'vitest';
import { encodeAssignment } from '../../../../../test/support/xds/ads-server.js';
import { resource } from '../../../../../test/support/xds/fake-ads.js';
import { EDS_TYPE_URL } from './eds-messages.js';
import { readResponse } from './read-response.js';

const read = (resources: Parameters<typeof readResponse>[0]['resources']) =>
  allOf(readResponse({ version_info: '1', nonce: 'n1', type_url: EDS_TYPE_URL, resources }));

function allOf<T>(parts: Generator<unknown, T>): T {
  for (;;) {
    const { done, value } = parts.next();
    if (done) return value;
  }
}

test.each([
  ['another type', { type_url: 'x', value: Buffer.alloc(0) }],
  ['bytes that are not a message', { type_url: EDS_TYPE_URL, value: Buffer.from([0xff]) }],
  ['the same name repeated', { type_url: EDS_TYPE_URL, value: Buffer.alloc(0) }],
])('a response with many faults gets a short error: %s', (_, faulty) => {
  const { faults } = read(Array.from({ length: 5000 }, () => faulty));
  expect(faults.length).toBe(11);
  expect(faults.at(-1)).toMatch(/^and (4990|4989) more$/);
  expect(faults.join('; ').length).toBeLessThan(2000);
});

test('the names of all faulty resources are reported, however many there are', () => {
  const names = Array.from({ length: 50 }, (_, i) => `cluster-${i}`);
  const { assignments, faulty } = read([
    ...names.map((name) => resource(name, [{ endpoints: [{ port: 0 }] }])),
    resource('good', [{ endpoints: [{ port: 1 }] }]),
  ]);
  expect([...faulty.keys()]).toEqual(names);
  expect([...assignments.keys()]).toEqual(['good']);
});

test('a resource that is too large is rejected by name without decoding it, and affects no other', () => {
  const large = Buffer.concat([resource('large', []).value, Buffer.alloc(4_194_304, Buffer.from([0x12, 0]))]);
  const { assignments, faulty, faults } = read([
    { type_url: EDS_TYPE_URL, value: large },
    resource('good', [{ endpoints: [{ port: 1 }] }]),
  ]);
  expect([...assignments.keys()]).toEqual(['good']);
  expect([...faulty]).toEqual([['large', 'has 2097152 localities; use 1000 at most']]);
  expect(faults).toEqual(['"large": has 2097152 localities; use 1000 at most']);
});

test('resources that were not read are a fault', () => {
  const response = { version_info: '1', nonce: '1', type_url: EDS_TYPE_URL, resources: [], unread: 5 };
  expect(allOf(readResponse(response)).faults).toEqual(['has 5 resources; at most 0 are read']);
});

test('a large response is read in parts, with other tasks running in between', () => {
  const endpoints = Array.from({ length: 5000 }, (_, i) => ({ port: i + 1, weight: 1 }));
  const resources = Array.from({ length: 10 }, (_, i) => resource(`n${i}`, [{ endpoints }]));
  const parts = readResponse({ version_info: '1', nonce: '1', type_url: EDS_TYPE_URL, resources });
  let turns = 0;
  while (!parts.next().done) turns++;
  // One turn for every one or two of them.
  expect(turns).toBeGreaterThanOrEqual(5);
  expect(turns).toBeLessThanOrEqual(10);
});

test('quotes in a fault are short and on one line', () => {
  const path = `/\u001b[31m\n${'x'.repeat(1_000_000)}`;
  const pipe = { endpoint: { address: { pipe: { path } } } };
  const value = encodeAssignment({ cluster_name: 'a', endpoints: [{ lb_endpoints: [pipe, pipe] }] });
  const { faulty, faults } = read([{ type_url: EDS_TYPE_URL, value }]);
  for (const text of [faulty.get('a')!, ...faults]) {
    expect(text.length).toBeLessThanOrEqual(500);
    expect(text).toContain('\\u001b[31m\\n');
  }
});
