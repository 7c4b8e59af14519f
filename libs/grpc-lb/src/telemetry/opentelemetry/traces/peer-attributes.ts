import type { Attributes } from '@opentelemetry/api';
import { PEER_ADDRESS, PEER_PORT } from './conventions.js';
import { hostAndPort } from './host-and-port.js';

/** The endpoint of an attempt. */
export function peerAttributes(endpoint: string): Attributes {
  const { address, port } = hostAndPort(endpoint);
  return port === undefined ? { [PEER_ADDRESS]: address } : { [PEER_ADDRESS]: address, [PEER_PORT]: port };
}
