import { domainToASCII } from 'node:url';
import { parseTarget } from '../discovery/index.js';

/**
 * What goes into `:authority`, and what TLS verifies, of a target: its first host, with the port if that is a number.
 * What names no host (a file, a socket) is `localhost`, as in gRPC.
 */
export function authorityOf(uri: string): string {
  const { scheme, path } = parseTarget(uri);
  const [first = ''] = path.split(/[,;?]/, 1);
  // Istio names clusters as `outbound|50051||orders.shop`. And `_grpc._tcp.orders.shop` asks for the service grpc of the
  // host orders.shop (RFC 2782).
  const name = first.slice(first.lastIndexOf('|') + 1).replace(/^(?:_[^.]+\.)+/, '');
  if (scheme === 'file' || name.startsWith('unix:')) return 'localhost';
  const authority = toAscii(/:(?!\d+$)[^:\]]*$/.test(name) ? name.slice(0, name.lastIndexOf(':')) : name);
  // Servers refuse a stream whose authority has other characters.
  return /^[\w.~:%[\]-]+$/.test(authority) ? authority : 'localhost';
}

/** Certificates and other servers know an international name (`bücher.example`) only in its ASCII form. */
function toAscii(name: string): string {
  const [, host = '', port = ''] = /^([^:]*)(:\d+)?$/.exec(name) ?? [];
  return /^[ -~]*$/.test(host) ? name : `${domainToASCII(host) || host}${port}`;
}
