import { expect, test } from 'vitest';
import { resource } from '../../../../../test/support/fake-ads.js';
import { EDS_TYPE_URL } from './eds-messages.js';
import { readResponse } from './read-response.js';

const read = (resources: Parameters<typeof readResponse>[0]['resources']) =>
  readResponse({ version_info: '1', nonce: 'n1', type_url: EDS_TYPE_URL, resources });

test.each([
  ['another type', { type_url: 'x', value: Buffer.alloc(0) }],
  ['bytes that are no message', { type_url: EDS_TYPE_URL, value: Buffer.from([0xff]) }],
  ['one name again and again', { type_url: EDS_TYPE_URL, value: Buffer.alloc(0) }],
])('a response with many faults has a short refusal: %s', (_, faulty) => {
  const { faults } = read(Array.from({ length: 5000 }, () => faulty));
  expect(faults.length).toBe(11);
  expect(faults.at(-1)).toMatch(/^and (4990|4989) more$/);
  expect(faults.join('; ').length).toBeLessThan(2000);
});

test('each name whose resource is faulty is known, however many there are', () => {
  const names = Array.from({ length: 50 }, (_, i) => `cluster-${i}`);
  const { assignments, faulty } = read([
    ...names.map((name) => resource(name, [{ endpoints: [{ port: 0 }] }])),
    resource('good', [{ endpoints: [{ port: 1 }] }]),
  ]);
  expect([...faulty.keys()]).toEqual(names);
  expect([...assignments.keys()]).toEqual(['good']);
});
