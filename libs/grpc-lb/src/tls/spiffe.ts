import type { X509Certificate } from 'node:crypto';
import { type Check, shown } from '../core/options/validation.js';
import { printable } from '../core/printable.js';
import { subjectAltNames } from './subject-alt-names.js';

/** SPIFFE-ID, section 2: a trust domain, and a path of segments; `*` as the last segment is this package's own. */
const PATTERN = /^spiffe:\/\/[a-z0-9._-]{1,255}(?:\/[A-Za-z0-9._-]+)*(?:\/\*)?$/;
/** Section 2.3: "SPIFFE implementations MUST support SPIFFE URIs up to 2048 bytes in length". */
const MAX_LENGTH = 2048;

/** Section 2.2: "The segments MUST NOT be relative path modifiers (i.e. `.`, `..`)". */
const RELATIVE = /\/\.{1,2}(?:\/|$)/;

/** A SPIFFE id, or all ids below a path: `spiffe://example.org/ns/shop/*`. */
export const spiffeIdCheck: Check = (path, value, faults) => {
  if (typeof value === 'string' && value.length <= MAX_LENGTH && PATTERN.test(value) && !RELATIVE.test(value)) return;
  faults.push({
    path,
    message: `is ${shown(value)}; use a SPIFFE id, as in spiffe://example.org/ns/shop/sa/orders, or all below a path, as in spiffe://example.org/ns/shop/*`,
  });
};

/** The one SPIFFE id of a certificate, or why it has none. */
type Found = { readonly id: string } | { readonly fault: string };

/**
 * X509-SVID, section 2: "An X.509 SVID MUST contain exactly one URI SAN", and section 5.2: "leaf certificates ... the
 * CA field ... set to false".
 */
function spiffeIdOf(certificate: Pick<X509Certificate, 'ca' | 'subjectAltName'>): Found {
  const uris = subjectAltNames(certificate.subjectAltName).filter(({ kind }) => kind === 'URI');
  const [first] = uris;
  if (first === undefined) return { fault: 'names no SPIFFE id' };
  if (uris.length > 1) return { fault: `names ${uris.length} URIs; a certificate with a SPIFFE id names exactly one` };
  if (!first.value.startsWith('spiffe://')) return { fault: 'names a URI that is not a SPIFFE id' };
  if (certificate.ca) return { fault: 'is that of a CA; a CA must not be used as the identity of a process' };
  return { id: first.value };
}

/** Why a certificate must not be accepted; undefined if it names one of the allowed ids. */
export function spiffeFault(
  allowed: readonly string[],
  certificate: Pick<X509Certificate, 'ca' | 'subjectAltName'>,
): string | undefined {
  const found = spiffeIdOf(certificate);
  if ('fault' in found) return found.fault;
  if (allowed.some((pattern) => matches(pattern, found.id))) return undefined;
  return `names ${printable(found.id, 200)}, which is not one of the allowed ids: ${listed(allowed)}`;
}

function matches(pattern: string, id: string): boolean {
  if (!pattern.endsWith('/*')) return pattern === id;
  const prefix = pattern.slice(0, -1);
  return id.startsWith(prefix) && id.length > prefix.length && !RELATIVE.test(id);
}

/** Long lists would hide the rest of the sentence. */
function listed(ids: readonly string[]): string {
  return ids.length <= 3 ? ids.join(', ') : `${ids.slice(0, 3).join(', ')} and ${ids.length - 3} more`;
}
