import http2 from 'node:http2';
import type { Socket } from 'node:net';
import { now } from '../clock.js';
import { CALL_KEY } from '../echo.js';
import type { RequestRecord } from '../protocol.js';

type Connect = (authority: string, options: http2.ClientSessionOptions) => http2.ClientHttp2Session;

/**
 * Watches every call that is sent on a connection, and its destination: the one place that sees all subjects alike.
 * Call it before the first connection. `onRequest` is called as the request leaves, with a record that is updated later.
 */
export function watchWire(onRequest: (request: RequestRecord) => void): void {
  const connect = http2.connect as Connect;
  const watched: Connect = (authority, options) => {
    const socket = options.createConnection!(new URL(authority), {}) as Socket;
    const to = `${socket.remoteAddress}:${socket.remotePort}`;
    const session = connect(authority, { ...options, createConnection: () => socket });
    const request = session.request.bind(session);
    session.request = (headers: http2.OutgoingHttpHeaders, more) => {
      const stream = request(headers, more);
      if (headers[CALL_KEY] === undefined) return stream;
      const record: RequestRecord = { at: now(), to, call: Number(headers[CALL_KEY]), answered: false };
      const answered = (received: http2.IncomingHttpHeaders): void => {
        if (received['grpc-status'] !== undefined) record.answered = true;
      };
      // Without a message the status comes in the headers. An answer that is cut after its headers is none.
      stream.once('response', answered).once('trailers', answered);
      onRequest(record);
      return stream;
    };
    return session;
  };
  // grpc-js looks `connect` up in the same object at each connection.
  Object.assign(http2, { connect: watched });
}
