import http from 'node:http';
import http2 from 'node:http2';
import net from 'node:net';
import tls from 'node:tls';
import { closeWithTest } from '../run/close-with-test.js';
import { startTcpServer } from './servers.js';

/** A plain HTTP/1 server. */
export function startHttp1(): Promise<number> {
  const server = http.createServer((_, response) => void response.end('hello'));
  return startTcpServer((socket) => void server.emit('connection', socket));
}

/** A server over TLS that speaks HTTP/2 whatever ALPN says, as Node's own does not, and has no health service. */
export function startTlsHttp2(
  options: tls.TlsOptions,
  onCall: (headers: http2.IncomingHttpHeaders) => void = () => {},
): Promise<number> {
  const server = tls.createServer(options, (socket) => {
    socket.on('error', () => {});
    const session = http2.performServerHandshake(socket);
    session.on('error', () => {});
    session.on('stream', (stream, headers) => {
      onCall(headers);
      refuse(stream, headers);
    });
  });
  return startTcpServer((socket) => void server.emit('connection', socket));
}

export type Answer = (stream: http2.ServerHttp2Stream, headers: http2.IncomingHttpHeaders) => void;

const HEAD = { ':status': 200, 'content-type': 'application/grpc' } as const;

/** Trailers only. */
export const status =
  (code: number): Answer =>
  (stream) =>
    stream.respond({ ...HEAD, 'grpc-status': code }, { endStream: true });

const refuse: Answer = (stream, headers) => {
  stream.on('error', () => {});
  status(12)(stream, headers);
};

/** A health watch that says SERVING and stays open; all else is UNIMPLEMENTED. */
export const serving =
  (more: http2.OutgoingHttpHeaders = {}): Answer =>
  (stream, headers) => {
    if (!headers[':path']?.includes('Health')) return status(12)(stream, headers);
    stream.respond({ ...HEAD, ...more });
    stream.write(Buffer.from([0, 0, 0, 0, 2, 8, 1]));
  };

/** An HTTP/2 server that answers every stream in the same way. It ends with the test. Returns its port. */
export function startHttp2(
  answer: Answer,
  settings: http2.Settings = {},
  onSession: (session: http2.ServerHttp2Session) => void = () => {},
): Promise<number> {
  const server = http2.createServer({ settings });
  server.on('session', (session) => {
    session.on('error', () => {});
    onSession(session);
  });
  server.on('stream', (stream, headers) => {
    stream.on('error', () => {});
    answer(stream, headers);
  });
  closeWithTest(() => server.close());
  return startTcpServer((socket) => void server.emit('connection', socket));
}

/** An L4 load balancer: each connection reaches the next backend. */
export function startBalancer(ports: readonly number[]): Promise<number> {
  let next = 0;
  return startTcpServer((socket) =>
    join(socket, net.connect(ports[next++ % ports.length]!, '127.0.0.1'), (part) => part),
  );
}

const HEADER = 9;
const PING = 6;

/** A proxy that drops the PING frames of the backend, and so its answers to those of the client. */
export function startPingEater(port: number): Promise<number> {
  return startTcpServer((socket) => {
    let rest = Buffer.alloc(0);
    join(socket, net.connect(port, '127.0.0.1'), (part) => {
      rest = Buffer.concat([rest, part]);
      const frames: Buffer[] = [];
      while (rest.length >= HEADER && rest.length >= HEADER + rest.readUIntBE(0, 3)) {
        const frame = rest.subarray(0, HEADER + rest.readUIntBE(0, 3));
        if (frame[3] !== PING) frames.push(frame);
        rest = rest.subarray(frame.length);
      }
      return Buffer.concat(frames);
    });
  });
}

function join(client: net.Socket, backend: net.Socket, filter: (part: Buffer) => Buffer): void {
  client.pipe(backend);
  backend.on('data', (part: Buffer) => client.write(filter(part)));
  backend.on('error', () => {}).on('close', () => client.destroy());
  client.on('close', () => backend.destroy());
}
