import { shown } from '../../core/options/validation.js';
import { withoutSecrets } from '../../core/target-secrets.js';
import { partsOfTarget } from './check-target.js';

/** Addresses to listen on. Systems that connect to one reach themselves. */
const LISTENING = /^(?:0\.0\.0\.0|\[::\])(?::|$)/;

/** Of a valid target: what it says is rarely what its author means. Undefined if nothing is wrong. */
export function targetWarning(target: string, usesTls: boolean): string | undefined {
  const name = shown(withoutSecrets(target));
  const { scheme, path } = partsOfTarget(target);
  if ((scheme === 'dns' || scheme === 'static') && path.split(',').some((address) => LISTENING.test(address.trim())))
    return `${name} is an address to listen on, so calls go to this machine; write where the backends are, as in dns:///orders:50051`;
  // Port 443 is right for TLS.
  if (scheme === 'dns' && !/:\d+$/.test(path) && !usesTls)
    return `${name} has no port, so it is 443, and there is no TLS; add the port, as in ${shown(`${withoutSecrets(target)}:50051`)}`;
  return undefined;
}
