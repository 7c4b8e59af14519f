import type { ChannelCredentials } from '@grpc/grpc-js';
import { type Fault, GrpcLbOptionsError } from '../../core/errors.js';
import { certificateFaults } from '../../tls/open-source.js';
import { tlsCheck, type TlsOptions } from '../../tls/options.js';
import { CLIENT_SIDE } from './client-tls.js';

/** All faults of the option `tls` of a client, including those of the files that it names. */
export function tlsFaults(tls: unknown): Fault[] {
  const faults: Fault[] = [];
  tlsCheck('tls', tls, faults);
  return faults.length > 0 ? faults : certificateFaults('tls', tls as TlsOptions, CLIENT_SIDE);
}

/** The message if both ways to secure a client are used. */
export const TLS_AND_CREDENTIALS =
  'is set together with credentials, which bring their own certificates; remove one of them';

/** @throws GrpcLbOptionsError unless a client has either credentials or the option `tls`, without a fault. */
export function assertOneCredentials(options: {
  readonly name: string;
  readonly credentials?: ChannelCredentials | undefined;
  readonly tls?: TlsOptions | undefined;
}): void {
  const { name, credentials, tls } = options;
  const faults = tls === undefined ? [] : tlsFaults(tls);
  if (tls !== undefined && credentials !== undefined) faults.push({ path: 'tls', message: TLS_AND_CREDENTIALS });
  if (tls === undefined && credentials === undefined) {
    const message = 'is missing; set credentials, such as credentials.createInsecure() of grpc-js, or tls: { ... }';
    faults.push({ path: 'credentials', message });
  }
  if (faults.length > 0) throw new GrpcLbOptionsError(`client ${name}`, faults);
}
