import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { nextTick } from 'node:process';
import { onTestFinished, test } from 'vitest';
import { KubernetesApi } from './api.js';
import { trackLeaks } from '../../../libs/grpc-lb/src/testing/leaks.js';

/** The next connection that any server of this process takes, as the server has it. */
function nextAccepted(): Promise<Socket> {
  return new Promise((resolve) => {
    const accepted = (message: unknown): void => resolve((message as { socket: Socket }).socket);
    subscribe('net.server.socket', accepted);
    onTestFinished(() => void unsubscribe('net.server.socket', accepted));
  });
}

test('stop() also closes a watch whose client is just leaving', async () => {
  const leaks = trackLeaks();
  const api = await new KubernetesApi().start();
  const accepted = nextAccepted();
  const client = connect(api.port, '127.0.0.1').resume();
  client.write('GET /apis/discovery.k8s.io/v1/endpointslices?watch=1 HTTP/1.1\r\nhost: x\r\n\r\n');
  await api.untilWatched();
  client.end();
  await once(await accepted, 'end');
  // The server has started to close its end.
  await new Promise<void>((resolve) => nextTick(resolve));
  await api.stop();
  await leaks.expectNone();
});
