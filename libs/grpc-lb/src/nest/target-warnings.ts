import { shown } from '../core/options/validation.js';
import { withoutSecrets } from '../core/target-secrets.js';
import { partsOfTarget } from '../grpc/channel/check-target.js';
import { isSecure } from '../grpc/channel/tls-name.js';
import type { GrpcLbClientOptions } from './client-options.js';

/** Addresses to listen on. Systems that connect to one reach themselves. */
const LISTENING = /^(?:0\.0\.0\.0|\[::\])(?::|$)/;

/** Of valid targets: what they say is rarely what their author means. */
export function targetWarnings(options: GrpcLbClientOptions): string[] {
  const { targets, target, url } = options;
  return [targets ?? target ?? url ?? []].flat().flatMap((each) => {
    const name = shown(withoutSecrets(each));
    const { scheme, path } = partsOfTarget(each);
    if ((scheme === 'dns' || scheme === 'static') && path.split(',').some((address) => LISTENING.test(address.trim())))
      return `${name} is an address to listen on, so calls go to this machine; write where the backends are, as in dns:///orders:50051`;
    // Port 443 is right for TLS.
    if (scheme === 'dns' && !/:\d+$/.test(path) && !usesTls(options))
      return `${name} has no port, so it is 443, and there is no TLS; add the port, as in ${shown(`${withoutSecrets(each)}:50051`)}`;
    return [];
  });
}

function usesTls({ tls, credentials }: GrpcLbClientOptions): boolean {
  return Boolean(tls) || (credentials !== undefined && isSecure(credentials));
}
