import { X509Certificate } from 'node:crypto';
import tls, { type Certificate, type PeerCertificate, type TLSSocket } from 'node:tls';
import { spiffeFault } from '../../tls/spiffe.js';
import type { DoctorCode } from '../codes.js';
import type { Site } from '../site.js';

const DAY_MS = 86_400_000;
/** What OpenSSL reports and this file judges itself, because OpenSSL reports one fault only. */
const OF_TIME = new Set(['CERT_HAS_EXPIRED', 'CERT_NOT_YET_VALID']);

/** Judges the certificate of a server. Returns whether a client accepts it. */
export function examineCertificate(
  { exam, options, tls: expected }: Site,
  address: string,
  socket: TLSSocket,
  certificate: PeerCertificate,
): boolean {
  let accepted = true;
  const find = (code: DoctorCode, evidence: string): void => {
    accepted &&= code === 'certificate-expires-soon';
    exam.find('tls', code, { address, evidence: `${address}: ${evidence}` });
  };
  const until = Date.parse(certificate.valid_to);
  const from = Date.parse(certificate.valid_from);
  const days = Math.floor((until - Date.now()) / DAY_MS);
  if (until < Date.now()) find('certificate-expired', `the certificate expired on ${certificate.valid_to}`);
  else if (from > Date.now()) find('certificate-not-yet-valid', `it is valid from ${certificate.valid_from}`);
  else if (days < options.expiryDays)
    find('certificate-expires-soon', `the certificate expires in ${days} days, on ${certificate.valid_to}`);

  const { name, spiffeIds } = expected!;
  const foreign = spiffeIds && spiffeFault(spiffeIds, new X509Certificate(certificate.raw));
  if (foreign !== undefined) find('certificate-name', `the certificate ${foreign}`);
  else if (!spiffeIds && tls.checkServerIdentity(name, certificate)) {
    const names = certificate.subjectaltname ?? nameOf(certificate.subject);
    find('certificate-name', `the client expects "${name}", the certificate is for ${names.slice(0, 300)}`);
  }
  // A code, although its type says Error.
  const fault = String(socket.authorizationError ?? '');
  if (fault !== '' && !OF_TIME.has(fault) && fault !== 'ERR_TLS_CERT_ALTNAME_INVALID')
    find('certificate-untrusted', `${fault}, issued by ${nameOf(certificate.issuer)}`);
  return accepted;
}

/** Fields that a certificate repeats come as a list; one without a subject has none at all. */
function nameOf(of: Certificate | undefined): string {
  return [of?.O, of?.CN].flat().find((each) => each !== undefined) ?? 'no name';
}
