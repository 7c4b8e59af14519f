import type { Fault } from '../core/errors.js';
import { type LoadedTls, loadTls, type Requirements } from './loaded-tls.js';
import type { PemReader } from './material.js';
import type { CertificateOptions } from './options.js';
import { named, PemFiles, type PemSources, readPemFiles } from './pem-files.js';
import { TlsFault } from './pem.js';
import { ProvidedPem } from './provided-pem.js';
import { TlsSource, type TlsSourceEnvironment } from './tls-source.js';

const REFRESH_INTERVAL_MS = 30_000;

/** What a side must have, beside its options. */
export type Side = Pick<Requirements, 'needsOwn' | 'needsCa'>;

/**
 * As grpc-js, an operator may name another file of roots for all clients of a process; but those are not who may call a
 * server.
 */
function sourcesOf({ ca, cert, key }: CertificateOptions, { needsOwn: isServer }: Side): PemSources {
  const { GRPC_DEFAULT_SSL_ROOTS_FILE_PATH: roots = '' } = process.env;
  return { ca: ca ?? (roots === '' || isServer ? undefined : roots), cert, key };
}

function requirementsOf(options: CertificateOptions, side: Side): Requirements {
  return { ...side, minVersion: options.minVersion ?? 'TLSv1.2' };
}

/** The faults of the certificates themselves, if they are known when the options are checked. */
export function certificateFaults(path: string, options: CertificateOptions, side: Side): Fault[] {
  if (options.provider) return [];
  try {
    loadNow(options, side);
    return [];
  } catch (error) {
    if (!(error instanceof TlsFault)) throw error;
    return [{ path: `${path}.${error.part}`, message: `${fileOf(error, options)}${error.message}` }];
  }
}

function loadNow(options: CertificateOptions, side: Side): LoadedTls {
  return loadTls(readPemFiles(sourcesOf(options, side)), requirementsOf(options, side), Date.now());
}

/** @throws TlsFault if they cannot be used by a client. */
export function certificatesNow(options: CertificateOptions): LoadedTls {
  return loadNow(options, { needsOwn: false, needsCa: false });
}

/** The file, unless the message names it. */
function fileOf({ part, message }: TlsFault, options: CertificateOptions): string {
  const source = part === 'provider' ? undefined : options[part];
  if (typeof source !== 'string' || source.includes('-----BEGIN')) return '';
  const file = named(source);
  return file !== source || message.includes(file) ? '' : `(${file}) `;
}

/** @throws TlsFault if the certificates are known now, and cannot be used. */
export function openTlsSource(options: CertificateOptions, side: Side, environment: TlsSourceEnvironment): TlsSource {
  const files = new PemFiles(sourcesOf(options, side));
  const { provider, refreshInterval = REFRESH_INTERVAL_MS, expiryWarning } = options;
  const reader: PemReader = provider ? new ProvidedPem(provider, files, environment.clock) : files;
  const source = new TlsSource(
    reader,
    {
      ...requirementsOf(options, side),
      refreshInterval,
      expiryWarning,
      textOf: (fault) => `tls.${fault.part} ${fileOf(fault, options)}${fault.message}`,
    },
    environment,
  );
  if (!provider) source.begin(loadNow(options, side));
  return source;
}
