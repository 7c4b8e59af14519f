import type { ChannelOptions } from '@grpc/grpc-js';
import type { Address } from '../core/endpoint.js';
import type { EffectiveLoadBalancing } from '../core/options/load-balancing.js';
import type { Budget } from './budget.js';
import type { Examination } from './examination.js';
import type { EffectiveDoctorOptions, TlsFiles } from './options.js';
import type { Http2Peer } from './peer/session.js';

/** The client that is to use the target, with every default filled in. */
export interface ClientView {
  readonly loadBalancing: EffectiveLoadBalancing;
  readonly channelOptions: ChannelOptions;
}

/** What all checks of one run share. */
export interface Site {
  readonly exam: Examination;
  readonly budget: Budget;
  readonly options: EffectiveDoctorOptions;
  readonly client: ClientView;
  /** The `:authority` of calls. */
  readonly authority: string;
  /** TLS files, and the name or ids that certificates must have; undefined without TLS. */
  readonly tls:
    | { readonly files: TlsFiles; readonly name: string; readonly spiffeIds: readonly string[] | undefined }
    | undefined;
}

/** An endpoint with a connection on which calls can be made. */
export interface Connected {
  readonly endpoint: Address;
  /** Its readable form. */
  readonly address: string;
  readonly peer: Http2Peer;
  /** SHA-256 of the certificate; undefined without TLS. */
  readonly fingerprint: string | undefined;
}
