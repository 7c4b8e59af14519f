import type { Address } from '../../core/endpoint.js';
import { firstOutcome } from '../outcome.js';
import type { TlsFiles } from '../options.js';
import { dial } from './dial.js';
import { shakeHands } from './handshake.js';

/** What a peer speaks that does not speak HTTP/2 as expected. */
export interface Spoken {
  readonly protocol: 'tls' | 'http/2' | 'http/1' | 'unknown' | 'nothing';
  /** What was seen. */
  readonly evidence: string;
}

const PREFACE = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n';
/** With an empty SETTINGS frame, as RFC 9113 section 3.4 prescribes. */
const OPENING = Buffer.concat([Buffer.from(PREFACE), Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0])]);
const MAX_BYTES = 64;
const SETTINGS_FRAME = 4;
const TLS_ALERT = 0x15;
const NAMED = /^[\x20-\x7e]{0,64}/;

/** Asks a peer on new connections, in plaintext and by TLS at once. */
export async function sniff(address: Address, name: string, files: TlsFiles, timeoutMs: number): Promise<Spoken> {
  const [first, secure] = await Promise.all([
    firstBytes(address, timeoutMs),
    secureProtocol(address, name, files, timeoutMs),
  ]);
  if (secure !== undefined) return { protocol: 'tls', evidence: `a TLS handshake succeeds (${secure})` };
  if (first.length === 0) return { protocol: 'nothing', evidence: 'it answers neither HTTP/2 nor TLS' };
  if (first.length >= 4 && first[3] === SETTINGS_FRAME && first.readUIntBE(0, 3) < 1024)
    return { protocol: 'http/2', evidence: 'it answers an HTTP/2 preface with SETTINGS' };
  const text = NAMED.exec(first.toString('latin1'))![0];
  if (text.startsWith('HTTP/1')) return { protocol: 'http/1', evidence: `it answers "${text}"` };
  if (first[0] === TLS_ALERT && first[1] === 3) return { protocol: 'tls', evidence: 'it answers a TLS alert' };
  return { protocol: 'unknown', evidence: `it begins with ${JSON.stringify(text)} (${first.toString('hex')})` };
}

async function firstBytes(address: Address, timeoutMs: number): Promise<Buffer> {
  const { socket } = await dial(address, timeoutMs);
  if (!socket) return Buffer.alloc(0);
  const bytes = await firstOutcome<Buffer>(
    timeoutMs,
    () => Buffer.alloc(0),
    (settle) => {
      socket.once('data', (part: Buffer) => settle(part.subarray(0, MAX_BYTES)));
      socket.once('close', () => settle(Buffer.alloc(0)));
      socket.write(OPENING);
    },
  );
  socket.destroy();
  return bytes;
}

async function secureProtocol(
  address: Address,
  name: string,
  files: TlsFiles,
  timeoutMs: number,
): Promise<string | undefined> {
  const { socket: raw } = await dial(address, timeoutMs);
  if (!raw) return undefined;
  const { socket } = await shakeHands(raw, name, files, timeoutMs);
  const version = socket?.getProtocol() ?? undefined;
  // First the TLS socket: it uses the handle of the raw one.
  socket?.destroy();
  raw.destroy();
  return version;
}
