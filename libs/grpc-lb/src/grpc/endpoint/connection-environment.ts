import type { ChannelOptions } from '@grpc/grpc-js';
import type { ClientContext } from '../context/client-context.js';
import type { ChannelControlHelper } from '../experimental.js';
import type { ConnectGate } from './connect-gate.js';

/** What all connections of a client share. */
export interface ConnectionEnvironment {
  readonly helper: ChannelControlHelper;
  readonly context: ClientContext;
  readonly channelOptions: ChannelOptions;
  /** How often, in milliseconds, the peer shall report its load out of band; undefined for never. */
  readonly reportInterval: number | undefined;
  readonly connectGate: ConnectGate;
  nextConnectionId(): number;
}
