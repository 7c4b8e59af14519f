import { TestAuthority } from '../../../libs/grpc-lb/src/testing/certificates/test-authority.js';

/** For unit tests of the library, whose rooms may not import the kit. */
export { TestAuthority };

/** As grpc-js takes it. */
export interface Certificate {
  readonly key: Buffer;
  /** The certificate, and that of its CA, so that it is also what one trusts. */
  readonly cert: Buffer;
}

const DAY_MS = 86_400_000;

/** A day, counted from now; may be in the past. */
export const inDays = (days: number): Date => new Date(Date.now() + days * DAY_MS);

/** A certificate of a CA of its own, valid from one day until another, counted from now. */
export function makeCertificate(names: readonly string[], { from = -1, until = 90 } = {}): Certificate {
  const authority = new TestAuthority();
  const { cert, key } = authority.issue({ names, from: inDays(from), until: inDays(until) });
  return { key: Buffer.from(key), cert: Buffer.from(cert + authority.cert) };
}
