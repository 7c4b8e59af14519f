import type net from 'node:net';
import { type Address, addressToString } from '../../core/endpoint.js';
import type { DoctorCode } from '../codes.js';
import { dial } from '../peer/dial.js';
import { shakeHands } from '../peer/handshake.js';
import { openSession } from '../peer/session.js';
import { sniff } from '../peer/sniff.js';
import type { Connected, Site } from '../site.js';
import type { Unreached } from './reachability.js';
import { examineCertificate } from './certificate.js';

const DIAL_MS = 1000;
const HANDSHAKE_MS = 1000;
const SETTINGS_MS = 1000;
const SNIFF_MS = 500;

/** Connects as a client would, and finds out why it cannot. Failures to reach the peer at all are left to the caller. */
export async function connect(site: Site, endpoint: Address): Promise<Connected | Unreached | undefined> {
  const { exam, budget, authority } = site;
  const address = addressToString(endpoint);
  const dialed = await dial(endpoint, budget.step(DIAL_MS));
  if (!dialed.socket) return { endpoint, code: dialed.code, message: dialed.message };
  const secured = site.tls ? await secure(site, endpoint, dialed.socket) : { socket: dialed.socket };
  if (!secured) {
    dialed.socket.destroy();
    return undefined;
  }
  const { socket, fingerprint, withoutAlpn = false } = secured;
  const opened = await openSession(socket, authority, budget.step(SETTINGS_MS));
  if (opened.peer) {
    exam.pass('connection', 'HTTP/2 on every endpoint examined');
    return { endpoint, address, peer: opened.peer, fingerprint };
  }
  dialed.socket.destroy();
  if (/certificate required/i.test(opened.message))
    exam.find('tls', 'client-certificate-required', { address, evidence: `${address}: ${opened.message}` });
  else if (withoutAlpn) exam.find('tls', 'no-alpn-h2', { address, evidence: noHttp2(address), severity: 'error' });
  else if (site.tls) exam.find('connection', 'not-http2', { address, evidence: `${address}: ${opened.message}` });
  else await explainPlaintext(site, endpoint, opened);
  return undefined;
}

const noHttp2 = (address: string): string => `${address}: TLS succeeds without ALPN, and HTTP/2 does not begin`;

interface Secured {
  readonly socket: net.Socket;
  readonly fingerprint?: string;
  readonly withoutAlpn?: boolean;
}

/** TLS with a certificate that the client accepts. */
async function secure(site: Site, endpoint: Address, raw: net.Socket): Promise<Secured | undefined> {
  const { exam, budget } = site;
  const { files, name } = site.tls!;
  const address = addressToString(endpoint);
  const shaken = await shakeHands(raw, name, files, budget.step(HANDSHAKE_MS));
  if (!shaken.socket) {
    await explainHandshake(site, endpoint, shaken);
    return undefined;
  }
  const { socket } = shaken;
  const certificate = socket.getPeerCertificate();
  const fingerprint = certificate.fingerprint256;
  if (!examineCertificate(site, address, socket, certificate)) {
    socket.destroy();
    return undefined;
  }
  const withoutAlpn = socket.alpnProtocol !== 'h2';
  if (withoutAlpn) {
    const evidence = `${address}: the server chose no protocol by ALPN, although the client offered h2`;
    exam.find('tls', 'no-alpn-h2', { address, evidence });
  } else exam.pass('tls', `${socket.getProtocol() ?? 'TLS'}, h2 by ALPN, certificates for "${name}"`);
  return { socket, fingerprint, withoutAlpn };
}

interface Failure {
  readonly code: string;
  readonly message: string;
}

async function explainHandshake(site: Site, endpoint: Address, { code, message }: Failure): Promise<void> {
  const { exam, budget } = site;
  const { files, name } = site.tls!;
  const address = addressToString(endpoint);
  const find = (fault: DoctorCode, evidence: string): void =>
    exam.find(fault === 'server-expects-plaintext' ? 'connection' : 'tls', fault, {
      address,
      evidence: `${address}: ${evidence}`,
    });
  if (/NO_APPLICATION_PROTOCOL/.test(code))
    return exam.find('tls', 'no-alpn-h2', { address, evidence: `${address}: ${message}`, severity: 'error' });
  if (/CERTIFICATE_REQUIRED/.test(code)) return find('client-certificate-required', message);
  const { protocol, evidence } = await sniff(endpoint, name, files, budget.step(SNIFF_MS));
  if (protocol === 'http/2') return find('server-expects-plaintext', `${message}; ${evidence}`);
  if (protocol === 'http/1') return find('not-http2', `${message}; ${evidence}`);
  // An alert of TLS shows that the peer speaks it.
  if (protocol === 'nothing' && !code.startsWith('ERR_SSL')) {
    const fault = code === 'timeout' ? 'silent-peer' : 'connection-closed';
    return exam.find('connection', fault, { address, evidence: `${address}: ${message}; ${evidence}` });
  }
  return find('tls-handshake-failed', message);
}

async function explainPlaintext(site: Site, endpoint: Address, { code, message }: Failure): Promise<void> {
  const { exam, budget, authority } = site;
  const address = addressToString(endpoint);
  const name = authority.replace(/:\d+$/, '');
  const { protocol, evidence } = await sniff(endpoint, name, {}, budget.step(SNIFF_MS));
  const find = (fault: DoctorCode, what: string): void =>
    exam.find('connection', fault, { address, evidence: `${address}: ${what}` });
  if (protocol === 'tls') return find('server-expects-tls', `${message}; ${evidence}`);
  if (protocol === 'http/1' || protocol === 'unknown') return find('not-http2', evidence);
  return find(code === 'timeout' ? 'silent-peer' : 'connection-closed', message);
}
