import { domainToASCII } from 'node:url';
import { parseTarget } from '../../discovery/index.js';
import { TargetNames } from '../context/target-names.js';

/** The `:authority` of calls to a target: its host, else `localhost`, as in gRPC. */
export function authorityOf(uri: string): string {
  return hostOf(uri) ?? 'localhost';
}

/**
 * The `:authority` of calls to the endpoints of each target; undefined if it is the same for all. A target without a host
 * has that of the first one.
 */
export function authoritiesOf(targets: readonly string[]): TargetNames | undefined {
  const first = authorityOf(targets[0]!);
  const all = targets.map((target) => hostOf(target) ?? first);
  return all.every((each) => each === first) ? undefined : new TargetNames(all);
}

/**
 * The first host of a target, with the port if it is a number: the name that TLS verifies. Undefined if there is none,
 * as for a file, or if the name contains characters that a host name cannot have. A Unix socket is `localhost`.
 */
export function hostOf(uri: string): string | undefined {
  const { scheme, path } = parseTarget(uri);
  if (scheme === 'file') return undefined;
  if (path.split(',').every((each) => each.startsWith('unix:'))) return 'localhost';
  const [first = ''] = path.split(/[,;?]/, 1);
  // Istio names clusters as `outbound|50051||orders.shop`. And `_grpc._tcp.orders.shop` names the service grpc of the
  // host orders.shop (RFC 2782).
  const name = first.slice(first.lastIndexOf('|') + 1).replace(/^(?:_[^.]+\.)+/, '');
  if (name.startsWith('unix:')) return undefined;
  const authority = toAscii(/:(?!\d+$)[^:\]]*$/.test(name) ? name.slice(0, name.lastIndexOf(':')) : name);
  // Servers refuse a stream whose authority contains other characters.
  return /^[\w.~:%[\]-]+$/.test(authority) ? authority : undefined;
}

/** Certificates and servers know an international name (`bücher.example`) only in its ASCII form. */
function toAscii(name: string): string {
  const [, host = '', port = ''] = /^([^:]*)(:\d+)?$/.exec(name) ?? [];
  return /^[ -~]*$/.test(host) ? name : `${domainToASCII(host) || host}${port}`;
}
