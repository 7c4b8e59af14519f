import { register } from '@grpc/grpc-js-xds';
import type { EndpointSourceFactory, Target } from '../../core/endpoint-source.js';
import type { Fault } from '../../core/errors.js';
import { shown } from '../../core/options/validation.js';
import { registerForeignScheme } from '../foreign-schemes.js';
import { registerEndpointSource } from '../registry.js';
import { readBootstrap } from './bootstrap.js';
import { edsSourceFactory } from './eds-source-factory.js';
import type { EdsSourceOptions } from './xds-options.js';

let registered: EndpointSourceFactory | undefined;

/**
 * Makes `xds:///orders` and `eds:///orders` targets. Call it before the module is built. Nothing of xDS is known to
 * grpc-js before, and other clients go on as they were.
 *
 * - `xds:` is the client of @grpc/grpc-js-xds: the control plane decides on everything.
 * - `eds:` asks the control plane for the endpoints only, and this package balances.
 *
 * Called once more, with the same or other options, it counts for the clients that are made afterwards.
 *
 * @param options Of `eds:`. What `xds:` needs to know, it reads from the environment alone.
 */
export function registerXds(options: EdsSourceOptions = {}): void {
  const factory = edsSourceFactory(options);
  // A source of somebody else's is not put aside.
  registerEndpointSource('eds', factory, { replace: registered !== undefined });
  registered = factory;
  register();
  registerForeignScheme('xds', { check });
}

/** What @grpc/grpc-js-xds finds out at the first call: it throws where nobody catches, or fails each call. */
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
  // Not so in gRFC A27.
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
