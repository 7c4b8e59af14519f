import http from 'node:http';
import https from 'node:https';
import type { Duplex } from 'node:stream';
import type { Socket } from 'node:net';
import { promisify } from 'node:util';

/** Some ten thousand instances: one takes one to three kilobytes. */
const MAX_ANSWER_BYTES = 32 * 1024 * 1024;

const nextTurn = promisify(setImmediate);

export interface Connections {
  readonly agent: http.Agent | https.Agent;
  /** Called when the last connection that was opened has closed. */
  onCut: (error: Error) => void;
}

/**
 * How queries connect: each by a connection of its own. They are few, one a minute when nothing changes, and one that
 * was kept might be dead by then. It does for the client what that leaves undone: a connection does not keep the
 * process alive, an endless answer is cut, and one that ends in its middle is noticed at once.
 */
export function connectionsOf(secure: boolean, ca: string | Buffer | undefined): Connections {
  const agent = secure ? new https.Agent({ ca }) : new http.Agent();
  const connections: Connections = { agent, onCut: () => {} };
  const connect = agent.createConnection.bind(agent) as (options: Options, done: unknown) => Duplex;
  agent.createConnection = (options: Options, done: unknown) => {
    // The client leaves IPv6 addresses in the brackets that they have in a URL.
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
  // What came before the end is read first.
  socket.once(
    'close',
    () => void nextTurn().then(() => onCut(new Error('the connection closed before the answer was complete'))),
  );
  return socket;
}
