import { expect, test } from 'vitest';
import { LazyPeer } from './lazy-peer.js';

const missing = (): Promise<never> => Promise.reject(new Error('not here'));

test('a package that is prepared is the one that is imported', async () => {
  const peer = new LazyPeer('no-such-package', () => Promise.resolve({ imported: true }));
  expect(peer.isLoaded).toBe(false);
  await peer.prepare();
  expect(peer.isLoaded).toBe(true);
  expect(peer.get('a feature')).toEqual({ imported: true });
});

test('a package that is not prepared, or cannot be imported, is looked up in the application', async () => {
  const peer = new LazyPeer<{ name: string }>('vitest/package.json', missing);
  await peer.prepare();
  expect(peer.get('a feature').name).toBe('vitest');
});

test('a package that is missing is an error that says what needs it, and how to install it', async () => {
  const peer = new LazyPeer('no-such-package', missing);
  await peer.prepare();
  expect(() => peer.get('client ORDERS: protoPath')).toThrow(
    expect.objectContaining({
      code: 'GRPC_LB_PEER_MISSING',
      message: 'client ORDERS: protoPath needs the package no-such-package: npm install no-such-package',
      cause: expect.objectContaining({ code: 'MODULE_NOT_FOUND' }),
    }),
  );
});
