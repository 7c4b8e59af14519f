import { EventEmitter } from 'node:events';
import { connect } from 'node:http2';
import { Duplex } from 'node:stream';

type Hook = (this: EventEmitter, event: string) => void;

let hook: Hook | undefined;

/** Node's hook for listeners of an HTTP/2 session: a `newListener` listener, the same for all sessions. */
function newListenerHook(): Hook | undefined {
  if (hook) return hook;
  const nowhere = new Duplex({ read: () => {}, write: (_chunk, _encoding, done) => done() });
  const session = connect('http://localhost', { createConnection: () => nowhere });
  session.on('error', () => {});
  hook = session.listeners('newListener')[0] as Hook | undefined;
  session.destroy();
  return hook;
}

/**
 * Node emits settings only if it has seen a listener being added. grpc-js calls `removeAllListeners()` on its sessions
 * once they are connected, which removes Node's own hook too, so that later listeners would not be called.
 */
export function restoreListenerHook(session: object): void {
  if (!(session instanceof EventEmitter) || session.listenerCount('newListener') > 0) return;
  const found = newListenerHook();
  if (found) session.on('newListener', found);
}
