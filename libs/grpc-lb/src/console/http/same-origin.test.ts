import { expect, test } from 'vitest';
import { foreignAction } from './same-origin.js';

const page = { 'x-grpc-lb-console': 'act', 'content-type': 'application/json', host: 'a.example:80' };

test.each([
  [{}],
  [{ 'sec-fetch-site': 'same-origin' }],
  [{ origin: 'http://a.example:80' }, 'a.example'],
  [{ 'content-type': 'application/json; charset=utf-8' }],
])('the page may act: %j', (headers, host = 'a.example:80') => {
  expect(foreignAction({ ...page, host, ...headers })).toBeUndefined();
});

test.each([
  [{ 'x-grpc-lb-console': undefined }],
  [{ 'content-type': 'application/x-www-form-urlencoded' }],
  [{ 'content-type': 'application/jsonp' }],
  [{ 'content-type': undefined }],
  [{ 'sec-fetch-site': 'cross-site' }],
  [{ 'sec-fetch-site': 'none' }],
  [{ origin: 'http://b.example' }],
  [{ origin: 'null' }],
  // The browser knows better than the address.
  [{ 'sec-fetch-site': 'cross-site', origin: 'http://a.example:80' }],
])('others may not: %j', (headers) => {
  expect(foreignAction({ ...page, ...headers })).toEqual(expect.any(String));
});
