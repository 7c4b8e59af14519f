import type { Target } from '../core/endpoint-source.js';
import { GrpcLbOptionsError } from '../core/errors.js';
import { withoutSecrets } from '../core/target-secrets.js';

/** The scheme of a target without one, as in gRPC. */
const DEFAULT_SCHEME = 'dns';

/**
 * RFC 3986: a letter first. It distinguishes `dns:orders` from `10.0.0.1:50051` and `my_orders:50051`, which are hosts.
 */
const SCHEME = /^[a-z][a-z0-9+.-]*$/i;

/** A target starts after a comma: several were written like a list of addresses. */
export const NEXT_TARGET = /,\s*[a-z][a-z0-9+.-]*:\/\//i;
export const SEVERAL_TARGETS = 'several targets are separated by spaces (in code: targets: [...])';

/**
 * Parses a target URI: `scheme://authority/path`, `scheme:path`, or a bare `host:port`, which means `dns`.
 *
 * gRPC distinguishes `orders:50051` from `dns:orders` by the registered schemes, so the meaning of a target depends on
 * what else the process has loaded. Here the text alone decides: if only a number follows the first colon it is
 * `host:port`, and `consul:8500` stays a host even if the scheme `consul` is registered.
 */
export function parseTarget(text: string): Target {
  const uri = text.trim();
  if (uri === '') {
    throw new GrpcLbOptionsError('target', [
      { path: 'target', message: 'is empty; write where the endpoints are, as in dns:///orders:50051' },
    ]);
  }
  const colon = uri.indexOf(':');
  const scheme = uri.slice(0, Math.max(colon, 0));
  const rest = uri.slice(colon + 1);
  if (!isScheme(scheme) || /^\d+$/.test(rest)) return { uri, scheme: DEFAULT_SCHEME, authority: '', path: uri };
  return { uri, scheme: scheme.toLowerCase(), ...splitAuthority(rest) };
}

export function isScheme(text: string): boolean {
  return SCHEME.test(text);
}

function splitAuthority(rest: string): Pick<Target, 'authority' | 'path'> {
  if (!rest.startsWith('//')) return { authority: '', path: rest };
  const slash = rest.indexOf('/', 2);
  return slash < 0
    ? { authority: rest.slice(2), path: '' }
    : { authority: rest.slice(2, slash), path: rest.slice(slash + 1) };
}

/** The name of a target in errors. */
export function targetSubject(target: Target): string {
  return `target "${withoutSecrets(target.uri)}"`;
}
