import { once } from 'node:events';
import net from 'node:net';
import * as grpc from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { ReflectionService } from '@grpc/reflection';
import { HealthImplementation, type ServingStatusMap } from 'grpc-health-check';
import { type Certificate } from '../peers/certificates.js';
import { Echo, ECHO_PROTO } from '../echo/cluster.js';
import { closeWithTest } from '../run/close-with-test.js';

export interface GrpcServerOptions {
  /** Default: the server as a whole is SERVING. `null`: no health service. */
  readonly health?: ServingStatusMap | null;
  /** Default true. */
  readonly reflection?: boolean;
  readonly certificate?: Certificate;
  /** Requires a certificate of the client that this one signed. */
  readonly clientCa?: Buffer;
  /** Default 127.0.0.1. */
  readonly host?: string;
  /** In place of a port: the path of a Unix socket. */
  readonly path?: string;
}

/** A grpc-js server with health and reflection, as a healthy target has. It ends with the test. Returns its port. */
export async function startGrpcServer(options: GrpcServerOptions = {}): Promise<number> {
  const { health = { '': 'SERVING' }, reflection = true, certificate, clientCa, host = '127.0.0.1', path } = options;
  const server = new grpc.Server();
  closeWithTest(() => server.forceShutdown());
  const say = (call: grpc.ServerUnaryCall<object, object>, done: grpc.sendUnaryData<object>): void =>
    done(null, call.request);
  server.addService(Echo.service, { Say: say, Repeat: () => {}, Join: () => {}, Talk: () => {} });
  if (health) new HealthImplementation(health).addToServer(server);
  if (reflection) new ReflectionService(loadSync(ECHO_PROTO)).addToServer(server);
  const credentials = certificate
    ? grpc.ServerCredentials.createSsl(
        clientCa ?? null,
        [{ private_key: certificate.key, cert_chain: certificate.cert }],
        clientCa !== undefined,
      )
    : grpc.ServerCredentials.createInsecure();
  return new Promise((resolve, reject) => {
    server.bindAsync(path === undefined ? `${host}:0` : `unix:${path}`, credentials, (error, port) =>
      error ? reject(error) : resolve(port),
    );
  });
}

/** A TCP server that handles each connection itself. It ends with the test. Returns its port. */
export async function startTcpServer(handle: (socket: net.Socket) => void, host = '127.0.0.1'): Promise<number> {
  const sockets = new Set<net.Socket>();
  const server = net.createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {}).on('close', () => sockets.delete(socket));
    handle(socket);
  });
  server.listen(0, host);
  await once(server, 'listening');
  closeWithTest(async () => {
    for (const socket of sockets) socket.destroy();
    server.close();
    await once(server, 'close');
  });
  return (server.address() as net.AddressInfo).port;
}
