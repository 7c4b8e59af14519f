import type { ChannelOptions } from '@grpc/grpc-js';
import type { Address } from '../../core/endpoint.js';
import type { LoadReport } from '../../core/policy/load-report.js';
import type { ClientContext } from '../context/client-context.js';
import type { ChannelControlHelper } from '../experimental.js';
import type { ConnectGate } from './connect-gate.js';

/** What connections need of the world around them. */
export interface ConnectionEnvironment {
  readonly helper: ChannelControlHelper;
  readonly context: ClientContext;
  readonly channelOptions: ChannelOptions;
  /** How often, in milliseconds, the peer shall report its load out of band; undefined for never. */
  readonly reportInterval: number | undefined;
  readonly connectGate: ConnectGate;
  nextConnectionId(): number;
  /** An endpoint cannot be reached. */
  askDiscovery(): void;
}

/** Where connections to one endpoint lead, and where its reports go. */
export interface ConnectionSite {
  readonly address: Address;
  readonly environment: ConnectionEnvironment;
  /** The peer has reported its load out of band. */
  readonly onLoadReport: (report: LoadReport) => void;
}
