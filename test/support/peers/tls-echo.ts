import { ServerCredentials } from '@grpc/grpc-js';
import { onTestFinished } from 'vitest';
import { EchoServer } from '../echo/cluster.js';
import { CertificateAuthority, type Issue, type Pair } from './certificate-authority.js';
import { SecretVolume } from './secret-volume.js';

/** A CA whose files go with the test. */
export function authorityOfTest(name?: string): CertificateAuthority {
  const authority = new CertificateAuthority(name);
  onTestFinished(() => authority.close());
  return authority;
}

/** A volume with the files that cert-manager writes. */
export function volumeOfTest(ca: string, pair: Pair): SecretVolume {
  const volume = new SecretVolume(secretOf(ca, pair));
  onTestFinished(() => volume.close());
  return volume;
}

export function secretOf(ca: string, { cert, key }: Pair): Record<string, string> {
  return { 'ca.crt': ca, 'tls.crt': cert, 'tls.key': key };
}

/** The options of a client that uses such a volume. */
export function filesOf(volume: SecretVolume): { ca: string; cert: string; key: string } {
  return { ca: volume.path('ca.crt'), cert: volume.path('tls.crt'), key: volume.path('tls.key') };
}

/** A server with a certificate; with `clientCa` it requires one of its clients. */
export function tlsServer(pair: Pair, clientCa?: string): Promise<EchoServer> {
  const keys = [{ private_key: Buffer.from(pair.key), cert_chain: Buffer.from(pair.cert) }];
  const ca = clientCa === undefined ? null : Buffer.from(clientCa);
  return new EchoServer({ credentials: ServerCredentials.createSsl(ca, keys, ca !== null) }).start();
}

export const HERE: Issue = { names: ['IP:127.0.0.1', 'DNS:localhost'] };
