import type { CertificateSnapshot, CertificateState } from '../core/snapshot.js';
import type { TlsSource } from './tls-source.js';

/** What may be shown of certificates: everything but the key. */
export function certificateSnapshot(source: TlsSource, epoch: number): CertificateSnapshot {
  const { current, error, expiring, lastUpdate, rotations, rejections } = source;
  const own = current?.own;
  return {
    state: stateOf(source),
    error,
    name: own?.name ?? null,
    fingerprint: own?.fingerprint ?? null,
    expires: own?.until ?? null,
    expiresInMs: own ? own.until - epoch : null,
    expiring,
    authorities: current?.ca?.count ?? null,
    authoritiesExpire: current?.ca?.until ?? null,
    lastUpdate,
    rotations,
    rejections,
  };
}

function stateOf({ current, error }: TlsSource): CertificateState {
  if (current === undefined) return error === null ? 'pending' : 'failed';
  return error === null ? 'ok' : 'rejected';
}
