import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A certificate with its key, as PEM. */
export interface Pair {
  readonly cert: string;
  readonly key: string;
}

export interface Issue {
  /** As in `IP:127.0.0.1`, `DNS:orders` or `URI:spiffe://example.org/orders`. */
  readonly names: readonly string[];
  /** Days from now; may be negative. */
  readonly from?: number;
  readonly until?: number;
}

const DAY_MS = 86_400_000;
/** As in `20300131120000Z`. */
const asn1 = (days: number): string =>
  `${new Date(Date.now() + days * DAY_MS).toISOString().replace(/[-:T]|\.\d+Z/g, '')}Z`;
const CURVE = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];

/** A CA of a test, by openssl. Its directory goes with `close()`. */
export class CertificateAuthority {
  readonly #directory = mkdtempSync(join(tmpdir(), 'test-ca-'));
  #serial = 0;
  /** What one trusts. */
  readonly cert: string;

  constructor(name = 'test CA') {
    this.#openssl(
      'req',
      '-x509',
      ...CURVE,
      '-days',
      '10',
      '-subj',
      `/CN=${name}`,
      '-keyout',
      'ca.key',
      '-out',
      'ca.pem',
    );
    this.cert = this.#read('ca.pem');
    this.#write('index', '');
  }

  issue({ names, from = -1, until = 5 }: Issue): Pair {
    const config =
      '[ca]\ndefault_ca=own\n[own]\ndatabase=index\nserial=serial\nnew_certs_dir=.\ndefault_md=sha256\npolicy=any\n' +
      'unique_subject=no\nx509_extensions=names\n[any]\ncommonName=supplied\n[names]\n' +
      `basicConstraints=CA:FALSE\nsubjectAltName=${names.join(',')}\n`;
    this.#write('config', config);
    this.#write('serial', `${(++this.#serial).toString(16).padStart(4, '0')}\n`);
    this.#openssl('req', '-new', ...CURVE, '-subj', '/CN=test', '-keyout', 'key.pem', '-out', 'request.pem');
    const dates = ['-startdate', asn1(from), '-enddate', asn1(until)];
    const signer = ['-cert', 'ca.pem', '-keyfile', 'ca.key', '-in', 'request.pem', '-out', 'cert.pem', '-notext'];
    this.#openssl('ca', '-batch', '-config', 'config', ...dates, ...signer);
    return { cert: this.#read('cert.pem'), key: this.#read('key.pem') };
  }

  close(): void {
    rmSync(this.#directory, { recursive: true, force: true });
  }

  #openssl(...args: string[]): void {
    execFileSync('openssl', args, { stdio: 'pipe', cwd: this.#directory });
  }

  #read(name: string): string {
    return readFileSync(join(this.#directory, name), 'utf8');
  }

  #write(name: string, text: string): void {
    writeFileSync(join(this.#directory, name), text);
  }
}
