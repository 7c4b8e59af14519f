import { describe, expect, test } from 'vitest';
import { encodeResponse } from '../../../../../test/support/xds/ads-server.js';
import { resource } from '../../../../../test/support/xds/fake-ads.js';
import { decodeResponse } from './discovery-response.js';
import { EDS_TYPE_URL } from './eds-messages.js';

const MIB = 1024 * 1024;
/** As many empty messages in field 2 as fit into 4 MiB, which is what grpc-js takes at most. */
const EMPTY = Buffer.alloc(4 * MIB, Buffer.from([0x12, 0]));

test('a response in the format of Envoy is read back unchanged', () => {
  const resources = [resource('a', [{ endpoints: [{ port: 1 }] }]), resource('b', [])];
  const response = { version_info: 'v1', nonce: 'n1', type_url: EDS_TYPE_URL, resources };
  expect(decodeResponse(encodeResponse(response))).toEqual(response);
});

test('millions of resources are counted but not read', () => {
  const { resources, unread } = decodeResponse(EMPTY);
  expect(resources).toHaveLength(10_000);
  expect(unread).toBe(2 * MIB - 10_000);
});

describe('a response that cannot be acknowledged is rejected:', () => {
  test.each([
    ['a version of a megabyte, which each request would carry', { version_info: 'x'.repeat(MIB) }],
    ['a nonce of a megabyte', { nonce: 'x'.repeat(MIB) }],
  ])('%s', (_, part) => {
    const bytes = encodeResponse({ version_info: '1', nonce: '1', type_url: EDS_TYPE_URL, resources: [], ...part });
    expect(() => decodeResponse(bytes)).toThrow('a version, nonce or type of 1048576 bytes');
  });
});
