import type { ServiceDefinition } from '@grpc/grpc-js';
import { LazyPeer } from '../peers/lazy-peer.js';

/** What of `grpc-health-check` is used: the contract of `grpc.health.v1`. */
export interface HealthContract {
  readonly service: ServiceDefinition;
  /** The path of the proto file, which reflection needs too. */
  readonly protoPath: string;
}

const peer = new LazyPeer<HealthContract>('grpc-health-check', () => import('grpc-health-check'));

/**
 * Loaded only by servers that report their health.
 *
 * @throws GrpcLbPeerError if the package is not installed.
 */
export async function loadHealthContract(): Promise<HealthContract> {
  await peer.prepare();
  return peer.get('the health service of grpcServer(), which health: false turns off,');
}
