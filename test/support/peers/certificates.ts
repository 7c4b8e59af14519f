import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
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

const DAY_MS = 86_400_000;
/** As in `20300131120000Z`. */
const asn1 = (days: number): string =>
  `${new Date(Date.now() + days * DAY_MS).toISOString().replace(/[-:T]|\.\d+Z/g, '')}Z`;

/** The same, valid from one day until another, counted from now; both may be in the past. */
export function makeDatedCertificate(fromDays: number, untilDays: number, ...names: string[]): Certificate {
  const directory = mkdtempSync(join(tmpdir(), 'certificate-'));
  const path = (name: string): string => join(directory, name);
  const openssl = (...args: string[]): unknown => execFileSync('openssl', args, { stdio: 'pipe', cwd: directory });
  try {
    writeFileSync(path('index'), '');
    writeFileSync(path('serial'), '01');
    writeFileSync(
      path('config'),
      '[ca]\ndefault_ca=own\n[own]\ndatabase=index\nserial=serial\nnew_certs_dir=.\ndefault_md=sha256\npolicy=any\n' +
        `x509_extensions=names\n[any]\ncommonName=supplied\n[names]\nsubjectAltName=${names.join(',')}\n`,
    );
    const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-subj', '/CN=test'];
    openssl('req', '-new', ...kind, '-keyout', 'key.pem', '-out', 'request.pem');
    const dates = ['-startdate', asn1(fromDays), '-enddate', asn1(untilDays)];
    const files = ['-in', 'request.pem', '-keyfile', 'key.pem', '-out', 'cert.pem', '-notext'];
    openssl('ca', '-batch', '-selfsign', '-config', 'config', ...dates, ...files);
    return { key: readFileSync(path('key.pem')), cert: readFileSync(path('cert.pem')) };
  } finally {
    rmSync(directory, { recursive: true });
  }
}
