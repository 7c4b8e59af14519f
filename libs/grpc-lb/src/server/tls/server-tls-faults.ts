import type { Fault } from '../../core/errors.js';
import { certificateFaults } from '../../tls/open-source.js';
import type { ServerTlsOptions } from '../../tls/options.js';
import { clientCertificatesOf, sideOf } from './server-tls.js';

/** The faults that the single options do not show, and those of the files. */
export function serverTlsFaults(options: ServerTlsOptions): Fault[] {
  const mode = clientCertificatesOf(options);
  if (options.spiffeIds && mode !== 'require')
    return [
      {
        path: 'tls.spiffeIds',
        message: `need certificates of clients, and clientCertificates is ${mode}; set clientCertificates: 'require', and ca`,
      },
    ];
  if (options.provider === undefined && options.cert === undefined)
    return [{ path: 'tls.cert', message: 'is missing; set cert and key, or provider: a server needs a certificate' }];
  return certificateFaults('tls', options, sideOf(options));
}
