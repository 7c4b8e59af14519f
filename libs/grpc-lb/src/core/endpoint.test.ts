import { describe, expect, test } from 'vitest';
import { addressToString } from './endpoint.js';

describe('addressToString', () => {
  test.each([
    [{ host: 'orders', port: 50051 }, 'orders:50051'],
    [{ host: '10.0.0.1', port: 1 }, '10.0.0.1:1'],
    [{ host: '::1', port: 65535 }, '[::1]:65535'],
    [{ path: '/run/orders.sock' }, 'unix:/run/orders.sock'],
  ])('%j is %s', (address, text) => {
    expect(addressToString(address)).toBe(text);
  });

  test('an IPv6 address never reads as another one with a port', () => {
    expect(addressToString({ host: '::1', port: 80 })).not.toBe(addressToString({ host: '::', port: 180 }));
    expect(addressToString({ host: '::1:80', port: 80 })).not.toBe(addressToString({ host: '::1', port: 8080 }));
  });
});
