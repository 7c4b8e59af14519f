import { isIP } from 'node:net';
import { type Endpoint, addressToString } from '../../core/endpoint.js';
import { isServiceAddress, parseTarget } from '../../discovery/index.js';
import { splitHostPort } from '../../grpc/experimental.js';
import { systemClock } from '../../grpc/context/system-clock.js';
import { dial } from '../peer/dial.js';
import { shakeHands } from '../peer/handshake.js';
import { openSession } from '../peer/session.js';
import type { Connected, Site } from '../site.js';
import { discover } from '../target/discover.js';
import { sourceOf } from '../target/source-of.js';

const API_MS = 1000;
const CONNECT_MS = 500;
/** With two backends behind the address, and each as likely, fifteen of sixteen runs see both. */
const MORE_CONNECTIONS = 4;

/**
 * Finds out whether a target's only address stands for several backends: all calls on one connection reach one of them.
 */
export async function examineSingleAddress(
  site: Site,
  endpoints: readonly Endpoint[],
  first: Connected,
): Promise<void> {
  const { exam } = site;
  const [only] = endpoints;
  if (endpoints.length !== 1 || !only || !('host' in only.address)) {
    return exam.skip('single-address', `the target has ${endpoints.length} addresses`);
  }
  const { host, port } = only.address;
  const address = addressToString(only.address);
  const service = serviceOf(site);
  const apiServer = site.options.env['KUBERNETES_SERVICE_HOST'] ?? false;
  if (service !== undefined && apiServer !== false) {
    const pods = await podsOf(site, service, port);
    if (pods?.includes(host))
      return exam.pass('single-address', `${address} is the only pod of the Service ${service}`);
    if (pods) {
      const evidence = `${address} is in no EndpointSlice of the Service ${service}, which lists ${pods.slice(0, 5).join(', ')}`;
      return exam.find('single-address', 'cluster-ip', { address, evidence });
    }
    if (isServiceAddress(host, apiServer)) {
      const evidence = `${address} is in the range of cluster IPs, as far as that of the API server (${apiServer}) shows it`;
      return exam.find('single-address', 'cluster-ip', { address, evidence, certainty: 'likely' });
    }
  }
  const others = await Promise.all(Array.from({ length: MORE_CONNECTIONS }, () => identityOf(site, only)));
  const different = others.find((each) => each !== undefined && each !== identity(first));
  if (different === undefined) {
    exam.pass('single-address', `no sign that several backends share ${address}; equal ones cannot be told apart`);
  } else {
    const evidence = `connections to ${address} reach servers that differ: ${identity(first)}, and ${different}`;
    exam.find('single-address', 'shared-address', { address, evidence });
  }
}

/** `orders.shop` if the target is a DNS name that may be that of a Service. */
function serviceOf({ options }: Site): string | undefined {
  const { scheme, path } = parseTarget(options.target);
  const host = (splitHostPort(path)?.host ?? '').replace(/\.$/, '').toLowerCase();
  if (scheme !== 'dns' || host === '' || isIP(host) > 0) return undefined;
  const [name, namespace, svc] = host.split('.');
  if (svc !== undefined && svc !== 'svc') return undefined;
  return namespace === undefined ? name : `${name}.${namespace}`;
}

/** The addresses in the EndpointSlices of a Service; undefined if the API server does not tell. */
async function podsOf({ budget }: Site, service: string, port: number): Promise<readonly string[] | undefined> {
  try {
    const target = parseTarget(`kubernetes:///${service}:${port}`);
    const source = await sourceOf(target, { clock: systemClock, random: Math.random });
    const found = await discover(source, budget.step(API_MS));
    if (found.kind !== 'list' || found.endpoints.length === 0) return undefined;
    return found.endpoints.flatMap(({ address }) => ('host' in address ? [address.host] : []));
  } catch {
    // Without @kubernetes/client-node, or outside of a cluster.
    return undefined;
  }
}

/** What distinguishes a server from another on the wire. */
function identity({ peer, fingerprint }: Pick<Connected, 'peer' | 'fingerprint'>): string {
  const { maxConcurrentStreams, initialWindowSize, maxFrameSize, maxHeaderListSize } = peer.settings;
  const settings = JSON.stringify({ maxConcurrentStreams, initialWindowSize, maxFrameSize, maxHeaderListSize });
  return fingerprint === undefined ? settings : `${settings}, certificate ${fingerprint.slice(0, 23)}`;
}

/** The identity of the server that another connection reaches; undefined if there is none. */
async function identityOf(site: Site, { address }: Endpoint): Promise<string | undefined> {
  const { budget, tls, authority } = site;
  const { socket: raw } = await dial(address, budget.step(CONNECT_MS));
  if (!raw) return undefined;
  const secured = tls && (await shakeHands(raw, tls.name, tls.files, budget.step(CONNECT_MS)));
  const socket = tls ? secured?.socket : raw;
  if (!socket) {
    raw.destroy();
    return undefined;
  }
  const fingerprint = secured?.socket?.getPeerCertificate().fingerprint256;
  const { peer } = await openSession(socket, authority, budget.step(CONNECT_MS));
  if (!peer) return undefined;
  peer.close();
  return identity({ peer, fingerprint });
}
