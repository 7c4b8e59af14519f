import type { Server } from '@grpc/grpc-js';
import type { PackageDefinition } from '@grpc/proto-loader';
import { LazyPeer } from '../peers/lazy-peer.js';

/** Adds reflection of the named services to a server. */
export type Reflection = (server: Server, loaded: PackageDefinition, services: string[]) => void;

const peer = new LazyPeer('@grpc/reflection', () => import('@grpc/reflection'));

/**
 * Loaded only if it is enabled.
 *
 * @throws GrpcLbPeerError if the package is not installed.
 */
export async function loadReflection(): Promise<Reflection> {
  await peer.prepare();
  const { ReflectionService } = peer.get('reflection: true');
  return (server, loaded, services) => new ReflectionService(loaded, { services }).addToServer(server);
}
