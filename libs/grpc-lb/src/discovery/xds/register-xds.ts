import { register } from '@grpc/grpc-js-xds';
import type { EndpointSourceFactory, Target } from '../../core/endpoint-source.js';
import type { Fault } from '../../core/errors.js';
import { shown } from '../../core/options/validation.js';
import { registerDelegatedScheme } from '../delegated-schemes.js';
import { registerEndpointSource } from '../registry.js';
import { readBootstrap } from './bootstrap.js';
import { edsSourceFactory } from './eds-source-factory.js';
import type { EdsSourceOptions } from './xds-options.js';

let registered: EndpointSourceFactory | undefined;

/**
 * Registers `xds:///orders` and `eds:///orders`. Call it before the module is built; the options of the last call apply
 * to clients that are built afterwards. Other grpc-js clients of the process are not affected.
 *
 * - `xds:` uses the client of @grpc/grpc-js-xds: the control plane decides everything.
 * - `eds:` takes only the endpoints from the control plane, and this package balances.
 *
 * @param options Options of `eds:`. `xds:` is configured by the environment alone.
 * @throws GrpcLbOptionsError that lists all faults of the options.
 */
export function registerXds(options: EdsSourceOptions = {}): void {
  const factory = edsSourceFactory(options);
  // A source that the application registered is not replaced.
  registerEndpointSource('eds', factory, { replace: registered !== undefined });
  registered = factory;
  register();
  registerDelegatedScheme('xds', { check });
}

/** Checks what @grpc/grpc-js-xds only detects at the first call, with an uncaught error or by failing each call. */
function check({ authority, path }: Target): readonly Fault[] {
  const faults: Fault[] = [];
  if (path === '') {
    const remedy = authority === '' ? 'name the listener, as in xds:///orders' : `write xds:///${authority}`;
    faults.push({ path: 'path', message: `is empty; ${remedy}` });
  }
  const before = faults.length;
  const bootstrap = readBootstrap(undefined, faults);
  if (!bootstrap && faults.length === before) {
    const names = 'GRPC_XDS_BOOTSTRAP to the path of a bootstrap file, or GRPC_XDS_BOOTSTRAP_CONFIG to its content';
    faults.push({ path: 'environment', message: `names no control plane; set ${names}` });
  }
  // gRFC A27 does not require this.
  if (bootstrap && !bootstrap.node?.locality)
    faults.push({
      path: 'node.locality',
      message: 'is missing in the bootstrap, but xds: requires it; add {} at least',
    });
  const types = bootstrap?.xds_servers[0]?.channel_creds.map(({ type }) => type) ?? ['insecure'];
  if (!types.some((type) => type === 'insecure' || type === 'google_default')) {
    const has = types.map(shown).join(', ') || 'none';
    faults.push({ path: 'channel_creds', message: `are ${has}; xds: supports insecure and google_default` });
  }
  return faults;
}
