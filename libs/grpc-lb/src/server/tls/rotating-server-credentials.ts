import { ServerCredentials, type ServerInterceptor } from '@grpc/grpc-js';
import type { LoadedTls } from '../../tls/loaded-tls.js';
import type { ClientCertificates } from '../../tls/options.js';

/**
 * Credentials of grpc-js whose next handshakes use the certificates that are in force then; connections that exist
 * stay. `updateSecureContextOptions` of grpc-js hands them to `tls.Server.setSecureContext` of each bound port.
 *
 * grpc-js's own `createCertificateProviderServerCredentials` is not used; decision 050 says why.
 */
export class RotatingServerCredentials extends ServerCredentials {
  /** @param interceptors See each call of the ports with these credentials before any other interceptor does. */
  constructor(
    clientCertificates: ClientCertificates,
    private readonly interceptors: readonly ServerInterceptor[],
  ) {
    super({
      requestCert: clientCertificates !== 'none',
      // Node's default would refuse a handshake without a certificate that is merely optional.
      rejectUnauthorized: clientCertificates === 'require',
    });
  }

  rotate({ options }: LoadedTls): void {
    this.updateSecureContextOptions(options);
  }

  override _getInterceptors(): ServerInterceptor[] {
    return [...this.interceptors];
  }

  override _equals(other: ServerCredentials): boolean {
    return this === other;
  }
}
