import { describe, expect, test } from 'vitest';
import { loadedCopies } from './loaded-copies.js';
import { environmentProxy } from './proxy.js';

describe('loadedCopies', () => {
  test('lists the folder of each copy, on any platform', () => {
    const cache = {
      '/app/node_modules/@grpc/grpc-js/build/src/index.js': 1,
      '/app/node_modules/@grpc/grpc-js/build/src/channel.js': 1,
      '/app/node_modules/x/node_modules/@grpc/grpc-js/build/src/index.js': 1,
      '/app/node_modules/@grpc/grpc-js-xds/build/src/index.js': 1,
    };
    expect(loadedCopies(cache)).toEqual([
      '/app/node_modules/@grpc/grpc-js',
      '/app/node_modules/x/node_modules/@grpc/grpc-js',
    ]);
  });

  test('finds the one of this process', async () => {
    await import('@grpc/grpc-js');
    expect(loadedCopies()).toEqual([expect.stringMatching(/@grpc.grpc-js$/)]);
  });
});

describe('environmentProxy', () => {
  test.for<[Record<string, string>, string, string | undefined]>([
    [{}, 'orders', undefined],
    [{ HTTPS_PROXY: 'http://p:1' }, 'orders', undefined],
    [{ http_proxy: 'http://p:1' }, 'orders', 'http_proxy'],
    [{ http_proxy: 'http://p:1', https_proxy: 'http://p:2' }, 'orders', 'https_proxy'],
    [{ https_proxy: 'http://p:2', grpc_proxy: 'http://p:3' }, 'orders', 'grpc_proxy'],
    [{ http_proxy: 'http://p:1', grpc_proxy: '' }, 'orders', 'http_proxy'],
  ])('%j for %s: %s', ([env, host, variable]) => {
    expect(environmentProxy(env, host)?.variable).toBe(variable);
  });

  test.for<[Record<string, string>, string, string | undefined]>([
    [{ no_proxy: 'localhost' }, 'orders', undefined],
    [{ no_proxy: 'localhost,.shop' }, 'orders.shop', 'no_proxy'],
    [{ no_proxy: '.shop', no_grpc_proxy: 'other' }, 'orders.shop', undefined],
    [{ no_proxy: '10.0.0.0/8' }, '10.1.2.3', 'no_proxy'],
    [{ no_proxy: '10.0.0.0/8' }, '11.1.2.3', undefined],
    [{ no_proxy: '10.0.0.0/33' }, '10.1.2.3', undefined],
  ])('except by %j: %s', ([env, host, exception]) => {
    expect(environmentProxy({ http_proxy: 'http://p:1', ...env }, host)?.exception).toBe(exception);
  });

  test('shows no password', () => {
    expect(environmentProxy({ grpc_proxy: 'http://me:secret@p:3128/x' }, 'orders')?.url).toBe('http://p:3128');
    expect(environmentProxy({ grpc_proxy: 'me:secret@p' }, 'orders')?.url).not.toContain('secret');
  });
});
