import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface Certificate {
  readonly key: Buffer;
  /** Signed by itself, so it is also the root that one trusts. */
  readonly cert: Buffer;
}

/** Node can read certificates, and cannot make any. */
export const HAS_OPENSSL = ((): boolean => {
  try {
    return /^(OpenSSL [13]|LibreSSL)/.test(execFileSync('openssl', ['version'], { encoding: 'utf8' }));
  } catch {
    return false;
  }
})();

/** For these names, as in `IP:127.0.0.1` or `DNS:orders`. */
export function makeCertificate(...names: string[]): Certificate {
  const directory = mkdtempSync(join(tmpdir(), 'certificate-'));
  const [key, cert] = [join(directory, 'key.pem'), join(directory, 'cert.pem')];
  try {
    const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '1', '-subj', '/CN=test'];
    const files = ['-keyout', key, '-out', cert];
    execFileSync('openssl', ['req', '-x509', ...kind, '-addext', `subjectAltName=${names.join(',')}`, ...files], {
      stdio: 'pipe',
    });
    return { key: readFileSync(key), cert: readFileSync(cert) };
  } finally {
    rmSync(directory, { recursive: true });
  }
}
