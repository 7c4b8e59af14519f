import { TestAuthority } from '../../test/support/peers/certificates.js';
import { SecretVolume } from '../../test/support/peers/secret-volume.js';

/** Of a client or a backend, as cert-manager writes them. */
export interface Files {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

/** What is trusted, and who issues. */
export interface Phase {
  readonly name: string;
  readonly trusted: readonly TestAuthority[];
  readonly issuer: TestAuthority;
}

/** The Secrets of all processes, which rotate together. */
export class Secrets {
  readonly #old = new TestAuthority('old CA');
  readonly #new = new TestAuthority('new CA');
  readonly #volumes = new Map<string, SecretVolume>();

  /** Each change is made when all have taken the one before. */
  readonly phases: readonly Phase[] = [
    { name: 'the old CA', trusted: [this.#old], issuer: this.#old },
    { name: 'both are trusted, the old one issues', trusted: [this.#old, this.#new], issuer: this.#old },
    { name: 'both are trusted, the new one issues', trusted: [this.#old, this.#new], issuer: this.#new },
    { name: 'the new CA', trusted: [this.#new], issuer: this.#new },
  ];

  /** The files of a new process. */
  files(process: string): Files {
    const volume = new SecretVolume(this.#issue(this.phases[0]!, process));
    this.#volumes.set(process, volume);
    return { ca: volume.path('ca.crt'), cert: volume.path('tls.crt'), key: volume.path('tls.key') };
  }

  /** Issues new certificates and keys for all, which takes a while. Returns what puts them into force. */
  issued(phase: Phase): () => void {
    const issued = [...this.#volumes].map(([process, volume]) => [volume, this.#issue(phase, process)] as const);
    return () => issued.forEach(([volume, files]) => volume.replace(files));
  }

  close(): void {
    for (const volume of this.#volumes.values()) volume.close();
  }

  #issue({ trusted, issuer }: Phase, process: string): Record<string, string> {
    const names = ['127.0.0.1', `spiffe://chaos.test/${process}`];
    const { cert, key } = issuer.issue({ names });
    return { 'ca.crt': trusted.map((each) => each.cert).join(''), 'tls.crt': cert, 'tls.key': key };
  }
}
