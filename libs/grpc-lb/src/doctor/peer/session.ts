import http2, { type ClientHttp2Session, type Settings } from 'node:http2';
import type net from 'node:net';
import { plainReason } from './handshake.js';
import { firstOutcome } from '../outcome.js';

/** An HTTP/2 connection. */
export interface Http2Peer {
  readonly session: ClientHttp2Session;
  readonly settings: Settings;
  /** The GOAWAY that the peer has sent. */
  readonly goaway: { code: number; text: string } | undefined;
  close(): void;
}

/** An HTTP/2 connection whose SETTINGS have arrived; or why there is none. */
export type Opened =
  | { readonly peer: Http2Peer }
  | { readonly peer?: undefined; readonly code: 'timeout' | 'closed' | 'protocol'; readonly message: string };

/** A peer may not make this process keep more. */
const MAX_SESSION_MEGABYTES = 4;
const MAX_GOAWAY_TEXT = 100;

/** Starts HTTP/2 on an open connection. The caller closes the peer; on failure the socket is destroyed. */
export function openSession(socket: net.Socket, authority: string, timeoutMs: number): Promise<Opened> {
  const session = http2.connect(`http://${authority}`, {
    createConnection: () => socket,
    settings: { enablePush: false },
    maxSessionMemory: MAX_SESSION_MEGABYTES,
  });
  let goaway: Http2Peer['goaway'];
  const close = (): void => {
    session.destroy();
    socket.destroy();
  };
  session.on('error', () => {});
  session.on('goaway', (code: number, _last: number, data?: Buffer) => {
    goaway ??= { code, text: data?.subarray(0, MAX_GOAWAY_TEXT).toString('latin1') ?? '' };
  });
  return firstOutcome<Opened>(
    timeoutMs,
    () => {
      close();
      return { code: 'timeout', message: `no HTTP/2 SETTINGS within ${timeoutMs} ms` };
    },
    (settle) => {
      const failed = (code: 'closed' | 'protocol', message: string): void => {
        close();
        settle({ code, message });
      };
      session.once('remoteSettings', (settings: Settings) =>
        settle({
          peer: {
            session,
            settings,
            close,
            get goaway() {
              return goaway;
            },
          },
        }),
      );
      session.once('error', (error: NodeJS.ErrnoException) =>
        failed(error.code === 'ERR_HTTP2_ERROR' ? 'protocol' : 'closed', plainReason(error.message)),
      );
      session.once('close', () => failed('closed', 'the peer closed the connection before HTTP/2 began'));
    },
  );
}
