import { tlsFaults } from '../../grpc/tls/tls-faults.js';
import { dateText } from '../../tls/expiry.js';
import { certificatesNow } from '../../tls/open-source.js';
import type { TlsOptions } from '../../tls/options.js';
import type { Examination } from '../examination.js';
import type { DoctorTlsOptions, EffectiveDoctorOptions, TlsFiles } from '../options.js';

const DAY_MS = 86_400_000;
/** Milliseconds for the answer of a provider. */
const PROVIDER_MS = 1000;

/** TLS of the client: contents of files, and what certificates of servers must name. */
export interface ClientTlsView {
  readonly files: TlsFiles;
  readonly serverName: string | undefined;
  readonly spiffeIds: readonly string[] | undefined;
}

/**
 * Reads the certificates of the client as it would, and judges them. Undefined without TLS; `unusable` if the client
 * could not be created.
 */
export async function examineClientCertificates(
  exam: Examination,
  options: EffectiveDoctorOptions,
): Promise<ClientTlsView | 'unusable' | undefined> {
  const unusable = (evidence: string): 'unusable' => {
    exam.find('client-certificates', 'client-certificates-unusable', { evidence });
    return 'unusable';
  };
  const { tls: own, client } = options;
  if (!own && !client?.tls) return undefined;
  let read: TlsOptions;
  try {
    read = own ? pairOf(own) : await withProvided(client!.tls as TlsOptions);
  } catch (error) {
    return unusable(`tls.provider failed: ${error instanceof Error ? error.message : String(error)}`);
  }
  const faults = tlsFaults(read);
  for (const { path, message } of faults) unusable(`${path} ${message}`);
  if (faults.length > 0) return 'unusable';
  const { texts, own: certificate, ca } = certificatesNow(read);
  const days = certificate && Math.floor((certificate.until - Date.now()) / DAY_MS);
  if (days !== undefined && days < options.expiryDays) {
    const evidence = `the certificate of the client expires in ${days} days, at ${dateText(certificate!.until)}`;
    exam.find('client-certificates', 'client-certificate-expires-soon', { evidence });
  }
  const trusted = ca === undefined ? '' : `, ${ca.count} CAs`;
  exam.pass('client-certificates', `${certificate ? `that of "${certificate.name}"` : 'none of its own'}${trusted}`);
  if (own) {
    const { serverName, ...files } = own;
    return { files, serverName, spiffeIds: undefined };
  }
  const { serverName, spiffeIds } = read;
  // Undefined ones would hide the defaults of Node.
  const files = Object.fromEntries(Object.entries(texts).filter(([, text]) => text !== undefined)) as TlsFiles;
  return { files, serverName: [serverName].flat()[0], spiffeIds };
}

/** Of `tls` of the doctor: contents. Its CAs are judged only by what they say of servers, as grpc-js's credentials do. */
function pairOf({ cert, key }: DoctorTlsOptions): TlsOptions {
  return {
    ...(cert !== undefined && { cert: Buffer.from(cert) }),
    ...(key !== undefined && { key: Buffer.from(key) }),
  };
}

async function withProvided(tls: TlsOptions): Promise<TlsOptions> {
  if (typeof tls?.provider !== 'function') return tls;
  const { provider, ...options } = tls;
  const signal = AbortSignal.timeout(PROVIDER_MS);
  const late = new Promise<never>((_, reject) => {
    signal.addEventListener('abort', () => reject(new Error(`it does not answer within ${PROVIDER_MS} ms`)));
  });
  const { ca = options.ca, cert, key } = await Promise.race([provider(signal), late]);
  return {
    ...options,
    ...(ca !== undefined && { ca }),
    ...(cert !== undefined && { cert }),
    ...(key !== undefined && { key }),
  };
}
