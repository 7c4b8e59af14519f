import { expect, test } from 'vitest';
import { remedyFor } from './unreachable.js';

test.each([
  ['connect ECONNREFUSED 127.0.0.1:1', '; check that the server runs, and the port of the target'],
  ['getaddrinfo ENOTFOUND orders', '; check the host name, and that DNS resolves it on this machine'],
  ['connect EHOSTUNREACH 10.0.0.1:1', '; check the address, and the route to it'],
  [
    'no HTTP/2 connection within the connectTimeout of 5000 ms',
    '; check the address, and that no firewall drops packets to it',
  ],
  ['the peer says XECONNREFUSEDX', ''],
  ['', ''],
])('%j: %j', (reason, remedy) => {
  expect(remedyFor(reason)).toBe(remedy);
});
