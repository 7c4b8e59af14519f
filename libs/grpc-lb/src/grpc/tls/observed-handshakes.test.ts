import net from 'node:net';
import { CallCredentials, ChannelCredentials } from '@grpc/grpc-js';
import { expect, test } from 'vitest';
import { ObservedHandshakes } from './observed-handshakes.js';

test('a connection whose TLS fails after the handshake is closed: neither Node nor grpc-js always does', async () => {
  const secured = new net.Socket();
  class Credentials extends ChannelCredentials {
    override _isSecure(): boolean {
      return true;
    }
    override _equals(): boolean {
      return false;
    }
    override _createSecureConnector(): ReturnType<ChannelCredentials['_createSecureConnector']> {
      return {
        waitForReady: () => Promise.resolve(),
        connect: () => Promise.resolve({ socket: secured, secure: true }),
        getCallCredentials: () => CallCredentials.createEmpty(),
        destroy: () => {},
      };
    }
  }
  const results: unknown[] = [];
  const observed = new ObservedHandshakes(new Credentials(), (result) => results.push(result));
  const connector = observed['_createSecureConnector']({ path: 'orders' }, {});
  expect(await connector.connect(new net.Socket())).toEqual({ socket: secured, secure: true });
  expect([results, secured.destroyed]).toEqual([['SUCCESS'], false]);
  // As Node does at an alert of the peer: without its end.
  secured.emit('error', new Error('tlsv13 alert certificate required'));
  expect(secured.destroyed).toBe(true);
});
