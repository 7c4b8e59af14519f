import { isIP } from 'node:net';
import { ChannelCredentials } from '@grpc/grpc-js';

export type Connector = ReturnType<ChannelCredentials['_createSecureConnector']>;

/**
 * grpc-js asks for the host of the target by SNI, also if it is an address, which RFC 6066 does not allow and Node 26
 * refuses. Without a name the certificate is verified against the host, as it has to be.
 */
export function withoutAddressAsName(connector: Connector): Connector {
  const { connectionOptions } = connector as { connectionOptions?: { servername?: string } };
  if (isIP(connectionOptions?.servername ?? '') !== 0) delete connectionOptions?.servername;
  return connector;
}

/** Credentials of the user, whose handshakes ask for no address by SNI. */
export function withoutAddressNames(credentials: ChannelCredentials): ChannelCredentials {
  return credentials['_isSecure']() ? new CredentialsWithoutAddressNames(credentials) : credentials;
}

class CredentialsWithoutAddressNames extends ChannelCredentials {
  constructor(private readonly own: ChannelCredentials) {
    super();
  }

  override _isSecure(): boolean {
    return this.own['_isSecure']();
  }

  override _equals(other: ChannelCredentials): boolean {
    return this.own['_equals'](other instanceof CredentialsWithoutAddressNames ? other.own : other);
  }

  override _createSecureConnector(...args: Parameters<ChannelCredentials['_createSecureConnector']>): Connector {
    return withoutAddressAsName(this.own['_createSecureConnector'](...args));
  }
}
