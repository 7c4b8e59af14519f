import type { ChannelOptions } from '@grpc/grpc-js';
import type { Address } from '../../core/endpoint.js';
import type { LoadReport } from '../../core/policy/load-report.js';
import type { ClientContext } from '../context/client-context.js';
import type { ChannelControlHelper, SubchannelInterface } from '../experimental.js';
import type { ConnectGate } from './connect-gate.js';

/** What connections need from their client. */
export interface ConnectionEnvironment {
  readonly helper: ChannelControlHelper;
  readonly context: ClientContext;
  readonly channelOptions: ChannelOptions;
  /** How often, in milliseconds, the peer should report its load out of band; undefined for never. */
  readonly reportInterval: number | undefined;
  readonly connectGate: ConnectGate;
  nextConnectionId(): number;
  /** Called when a connection attempt begins. */
  subchannelCreated(subchannel: SubchannelInterface): void;
  /** Called when an endpoint cannot be reached. */
  askDiscovery(): void;
}

/** The endpoint of a connection, and the receiver of its load reports. */
export interface ConnectionSite {
  readonly address: Address;
  readonly environment: ConnectionEnvironment;
  /** Called when the peer has reported its load out of band. */
  readonly onLoadReport: (report: LoadReport) => void;
}
