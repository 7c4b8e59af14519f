/** A backend in a process of its own, with the TLS of the server side: it requires a certificate, and a SPIFFE id. */
import * as grpc from '@grpc/grpc-js';
import { ServerTls } from '../../libs/grpc-lb/src/server/tls/server-tls.js';
import { Echo, type Line } from '../echo.js';
import type { FromTlsBackend, TlsBackendArguments } from './protocol.js';

const { files } = JSON.parse(process.argv[2]!) as TlsBackendArguments;
const tls = new ServerTls(
  { ...files, spiffeIds: ['spiffe://chaos.test/client'] },
  { log: () => {}, warn: (text) => console.error(text) },
  () => {},
);
await tls.ready();
const server = new grpc.Server();
server.addService(Echo.service, {
  Say: ({ request }: grpc.ServerUnaryCall<Line, Line>, done: grpc.sendUnaryData<Line>) => done(null, request),
  Repeat: (call: grpc.ServerWritableStream<Line, Line>) => call.write(call.request),
});
// The runner is gone.
process.on('disconnect', () => process.exit());
server.bindAsync('127.0.0.1:0', tls.credentials, (error, port) => {
  if (error) throw error;
  const message: FromTlsBackend = { type: 'listening', port };
  process.send!(message);
});
