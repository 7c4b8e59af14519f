import { onTestFinished } from 'vitest';
import type { IssuedCertificate } from '../../../libs/grpc-lb/src/testing/certificates/test-authority.js';
import { SecretVolume } from './secret-volume.js';

/** A volume with the files that cert-manager writes. It goes with the test. */
export function volumeOfTest(ca: string, pair: IssuedCertificate): SecretVolume {
  const volume = new SecretVolume(secretOf(ca, pair));
  onTestFinished(() => volume.close());
  return volume;
}

export function secretOf(ca: string, { cert, key }: IssuedCertificate): Record<string, string> {
  return { 'ca.crt': ca, 'tls.crt': cert, 'tls.key': key };
}

/** The options of a client that uses such a volume. */
export function filesOf(volume: SecretVolume): { ca: string; cert: string; key: string } {
  return { ca: volume.path('ca.crt'), cert: volume.path('tls.crt'), key: volume.path('tls.key') };
}
