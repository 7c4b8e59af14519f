import net from 'node:net';
import type { Server } from '@grpc/grpc-js';

/** The ports of a server: a private field of grpc-js, read defensively. */
export function portsOf(server: Server): net.Server[] {
  const { http2Servers } = server as unknown as { readonly http2Servers?: unknown };
  if (!(http2Servers instanceof Map)) return [];
  return [...(http2Servers as Map<unknown, unknown>).keys()].filter((port) => port instanceof net.Server);
}
