import { once } from 'node:events';
import net from 'node:net';
import tls from 'node:tls';
import * as grpc from '@grpc/grpc-js';
import { expect, onTestFinished, test } from 'vitest';
import { makeCertificate } from '../../support/peers/certificates.js';
import { deferred } from '../../support/echo/cluster.js';
import { expectNoLeaks } from '../../support/run/leaks.js';
import { echoClient, say, startEcho } from '../../support/server/app.js';

expectNoLeaks();

const CLIENT_PREFACE = Buffer.concat([
  Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
  // An empty SETTINGS frame.
  Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0]),
]);
const GOAWAY = 7;

test('a connection whose TLS handshake ends after the GOAWAY gets one, too', async () => {
  const { cert, key } = makeCertificate(['localhost', '127.0.0.1']);
  const credentials = grpc.ServerCredentials.createSsl(null, [{ cert_chain: cert, private_key: key }]);
  const { address, handlers, server, close } = await startEcho({}, { credentials });
  // A call keeps the server from ending before the handshake.
  const [arrived, answer] = [deferred(), deferred()];
  handlers.say = async (line) => {
    arrived.resolve();
    await answer.promise;
    return line;
  };
  const running = say(echoClient(address, grpc.credentials.createSsl(cert)), 'slow');
  const socket = net.connect(Number(address.split(':')[1]), '127.0.0.1');
  onTestFinished(() => void socket.destroy());
  // The server takes connections in their order, so it has taken this one when the call arrives.
  await once(socket, 'connect');
  await arrived.promise;
  const closed = close();
  if (!server.drainSignal.aborted) await once(server.drainSignal, 'abort');

  const late = tls.connect({ socket, ca: cert, ALPNProtocols: ['h2'] });
  const received: Buffer[] = [];
  late.on('data', (data: Buffer) => received.push(data));
  await once(late, 'secureConnect');
  late.write(CLIENT_PREFACE);
  await once(late, 'close');
  expect(frameTypes(Buffer.concat(received))).toContain(GOAWAY);
  answer.resolve();
  expect((await running).text).toBe('slow');
  await closed;
});

function frameTypes(bytes: Buffer): number[] {
  const types: number[] = [];
  for (let at = 0; at + 9 <= bytes.length; at += 9 + bytes.readUIntBE(at, 3)) types.push(bytes[at + 3]!);
  return types;
}
