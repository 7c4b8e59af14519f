import { parseTarget } from '../discovery/index.js';

/**
 * What goes into `:authority`, and what TLS verifies, of a target: its first host, with the port if that is a number.
 * What names no host (a file, a socket) is `localhost`, as in gRPC.
 */
export function authorityOf(uri: string): string {
  const [first = ''] = parseTarget(uri).path.split(/[,;?]/, 1);
  // Istio names clusters as `outbound|50051||orders.shop`. And `_grpc._tcp.orders.shop` asks for the service grpc of the
  // host orders.shop (RFC 2782).
  const name = first.slice(first.lastIndexOf('|') + 1).replace(/^(?:_[^.]+\.)+/, '');
  // Servers refuse a stream whose authority has other characters.
  if (name.startsWith('unix:') || !/^[\w.~:%[\]-]+$/.test(name)) return 'localhost';
  return /:(?!\d+$)[^:\]]*$/.test(name) ? name.slice(0, name.lastIndexOf(':')) : name;
}
