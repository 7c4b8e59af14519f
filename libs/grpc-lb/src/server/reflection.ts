import type { Server } from '@grpc/grpc-js';
import type { PackageDefinition } from '@grpc/proto-loader';
import { missingPeer } from '../core/errors.js';

/** Adds reflection of the named services to a server. */
export type Reflection = (server: Server, loaded: PackageDefinition, services: string[]) => void;

/** Loaded only if it is enabled: an optional peer. */
export async function loadReflection(): Promise<Reflection> {
  const { ReflectionService } = await import('@grpc/reflection').catch((cause: unknown) => {
    throw missingPeer('reflection: true', '@grpc/reflection', cause);
  });
  return (server, loaded, services) => new ReflectionService(loaded, { services }).addToServer(server);
}
