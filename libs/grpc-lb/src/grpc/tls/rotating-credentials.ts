import { CallCredentials, ChannelCredentials, credentials } from '@grpc/grpc-js';
import { GrpcLbPeerError } from '../../core/errors.js';
import { SUPPORTED_GRPC_JS } from '../capabilities.js';
import { type Connector, withoutAddressAsName } from './without-address-names.js';

/** What is needed for the next handshake. */
export interface CurrentCredentials {
  /** Resolves when there are certificates, or none can be had. */
  ready(): Promise<void>;
  /** Those of the certificates in force. @throws Error if there are none. */
  current(): ChannelCredentials;
}

/**
 * Credentials of grpc-js whose handshakes use the certificates that are in force then. grpc-js asks its credentials for
 * a connector once for each subchannel, which connects as often as needed; this connector asks for another one each time.
 *
 * grpc-js's own `createCertificateProviderChannelCredentials` is not used; decision 050 says why. Only this file,
 * `observed-handshakes.ts` and `without-address-names.ts` know the contract between a channel and its credentials.
 */
export class RotatingCredentials extends ChannelCredentials {
  constructor(private readonly source: CurrentCredentials) {
    super();
    assertContract();
  }

  override _isSecure(): boolean {
    return true;
  }

  override _equals(other: ChannelCredentials): boolean {
    return this === other;
  }

  override _createSecureConnector(...args: Parameters<ChannelCredentials['_createSecureConnector']>): Connector {
    const [, , callCredentials = CallCredentials.createEmpty()] = args;
    return {
      waitForReady: () => this.source.ready(),
      connect: async (socket) => {
        const connector = withoutAddressAsName(this.source.current()['_createSecureConnector'](...args));
        try {
          return await connector.connect(socket);
        } finally {
          connector.destroy();
        }
      },
      getCallCredentials: () => callCredentials,
      destroy: () => {},
    };
  }
}

let isProven = false;

/** Says when the options are checked, not when the first connection fails, that this version of grpc-js is another. */
function assertContract(): void {
  if (isProven) return;
  const made = credentials.createFromSecureContext as unknown;
  const { _createSecureConnector } = credentials.createInsecure() as unknown as Record<string, unknown>;
  if (typeof made !== 'function' || typeof _createSecureConnector !== 'function') {
    throw new GrpcLbPeerError(
      'GRPC_LB_PEER_UNSUPPORTED',
      `the option tls needs @grpc/grpc-js ${SUPPORTED_GRPC_JS}: the installed version lacks credentials.createFromSecureContext ` +
        `or ChannelCredentials._createSecureConnector; install a supported version, or use credentials instead of tls`,
    );
  }
  isProven = true;
}
