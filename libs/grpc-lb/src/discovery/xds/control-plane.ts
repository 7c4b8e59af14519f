import { readFileSync } from 'node:fs';
import { ChannelCredentials } from '@grpc/grpc-js';
import type { Fault } from '../../core/errors.js';
import { isObject, shown } from '../../core/options/validation.js';
import { readBootstrap, type XdsNode, type XdsServer } from './bootstrap.js';
import type { EffectiveEdsOptions } from './xds-options.js';

/** The address of a control plane, the identity of the client, and how to connect. */
export interface ControlPlane {
  /** A target of grpc-js. */
  readonly uri: string;
  readonly node: XdsNode;
  /** Created for each connection: certificates are renewed in their files. */
  readonly credentials: () => ChannelCredentials;
}

const REMEDY = 'set GRPC_XDS_BOOTSTRAP, or pass registerXds() the option';

/** The control plane of a target: that of its authority, or the first of the bootstrap. */
export function findControlPlane(
  authority: string,
  options: EffectiveEdsOptions,
  faults: Fault[],
): ControlPlane | undefined {
  const before = faults.length;
  const bootstrap = readBootstrap(options.bootstrap, faults);
  if (faults.length > before) return undefined;
  const servers = bootstrap?.xds_servers ?? [];
  const server = authority === '' ? servers[0] : servers.find(({ server_uri }) => server_uri === authority);
  const uri = authority || server?.server_uri;
  if (!uri) {
    const remedy = `write eds://control-plane:18000/orders, or ${REMEDY} bootstrap`;
    faults.push({ path: 'authority', message: `is empty, and no bootstrap names a control plane; ${remedy}` });
  }
  const node = options.node ?? bootstrap?.node;
  if (!node) faults.push({ path: 'node', message: `is unknown; ${REMEDY} node, as in { id: 'checkout-1' }` });
  const credentials = options.credentials ? () => options.credentials! : credentialsOf(server, faults);
  return uri && node && credentials ? { uri, node, credentials } : undefined;
}

function credentialsOf(server: XdsServer | undefined, faults: Fault[]): (() => ChannelCredentials) | undefined {
  const types = server?.channel_creds.map(({ type }) => type) ?? [];
  const known = server?.channel_creds.find(({ type }) => type === 'insecure' || type === 'tls');
  if (known?.type === 'insecure') return () => ChannelCredentials.createInsecure();
  if (known) return () => tlsCredentials(known.config);
  const why = server
    ? `are ${types.map(shown).join(', ') || 'none'} in the bootstrap, but only insecure and tls are supported here`
    : 'are not set: no bootstrap has them for this control plane';
  faults.push({ path: 'credentials', message: `${why}; ${REMEDY} credentials, as in credentials.createSsl()` });
  return undefined;
}

/** gRFC A65. @throws Error if a file cannot be read. */
function tlsCredentials(config: unknown): ChannelCredentials {
  const files = (isObject(config) ? config : {}) as Partial<Record<string, string>>;
  const read = (name: string): Buffer | null => (files[name] === undefined ? null : readFileSync(files[name]));
  return ChannelCredentials.createSsl(read('ca_certificate_file'), read('private_key_file'), read('certificate_file'));
}
