import http from 'node:http';
import https from 'node:https';
import type { Duplex } from 'node:stream';
import type { Socket } from 'node:net';
import { promisify } from 'node:util';

/** Some ten thousand instances: each takes one to three kilobytes. */
const MAX_ANSWER_BYTES = 32 * 1024 * 1024;

const nextTurn = promisify(setImmediate);

export interface Connections {
  readonly agent: http.Agent | https.Agent;
  /** Called when the last open connection has closed. */
  onCut: (error: Error) => void;
}

/**
 * How queries connect: each on its own connection. They are few, one a minute when nothing changes, and a kept
 * connection might be dead by then. This adds what the client lacks: a connection does not keep the process alive, an
 * endless answer is cut off, and one that breaks off is detected at once.
 */
export function connectionsOf(secure: boolean, ca: string | Buffer | undefined): Connections {
  const agent = secure ? new https.Agent({ ca }) : new http.Agent();
  const connections: Connections = { agent, onCut: () => {} };
  const connect = agent.createConnection.bind(agent) as (options: Options, done: unknown) => Duplex;
  agent.createConnection = (options: Options, done: unknown) => {
    // The client leaves IPv6 addresses in their URL brackets.
    const socket = connect({ ...options, host: options.host?.replace(/^\[(.*)\]$/, '$1') }, done) as Socket;
    return watched(socket, connections);
  };
  return connections;
}

interface Options {
  readonly host?: string;
}

function watched(socket: Socket, connections: Connections): Socket {
  const { onCut } = connections;
  socket.unref();
  socket.on('data', () => {
    if (socket.bytesRead > MAX_ANSWER_BYTES)
      socket.destroy(new Error(`the answer is larger than ${MAX_ANSWER_BYTES} bytes`));
  });
  // Data before the end is read first.
  socket.once(
    'close',
    () => void nextTurn().then(() => onCut(new Error('the connection closed before the answer was complete'))),
  );
  return socket;
}
