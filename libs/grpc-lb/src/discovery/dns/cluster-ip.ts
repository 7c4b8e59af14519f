import { BlockList, isIP } from 'node:net';
import type { Address } from '../../core/endpoint.js';

/** A name with one replica has one address as well; one that never changes is more likely that of a Service. */
const LOOK_UPS = 3;

/**
 * Detects a name that always has one address, in the range that Kubernetes assigns to Services. The node picks a pod
 * for each connection to it, so all calls on a connection reach one pod: the one mistake that makes client-side
 * balancing useless, and nothing else reveals it.
 */
export class ClusterIpWatch {
  #address: string | undefined;
  #seen = 0;
  #told = false;
  #detected = false;

  /** @param apiServer The address of the Service of the API server, as in KUBERNETES_SERVICE_HOST. */
  constructor(
    private readonly name: string,
    private readonly apiServer: string | false,
  ) {}

  /** Whether the last answers were such an address. */
  get detected(): boolean {
    return this.#detected;
  }

  /** Examines an answer; returns a warning once. */
  look(addresses: readonly Address[]): string | undefined {
    const [only] = addresses;
    const host = addresses.length === 1 && 'host' in only! ? only.host : undefined;
    this.#seen = host !== undefined && host === this.#address ? this.#seen + 1 : 1;
    this.#address = host;
    this.#detected = host !== undefined && this.#seen >= LOOK_UPS && isServiceAddress(host, this.apiServer);
    if (this.#told || !this.#detected) return undefined;
    this.#told = true;
    return (
      `"${this.name}" has one address, ${host}, which looks like the cluster IP of a Kubernetes Service: all calls over ` +
      'one connection reach one pod. To balance calls, make the Service headless (clusterIP: None), or use a ' +
      'kubernetes:/// target'
    );
  }
}

/** Whether an address is in the range that the cluster assigns to Services, as far as the API server's own shows it. */
export function isServiceAddress(host: string, apiServer: string | false): boolean {
  const family = isIP(host);
  if (family === 0 || apiServer === false) return false;
  return serviceRange(apiServer)?.check(host, family === 4 ? 'ipv4' : 'ipv6') ?? false;
}

/**
 * The API server has the first address of the range, whose size is unknown. For IPv6 it is /108 at most; for IPv4 it is
 * /12 at most and usually /16, and addresses beyond may be pods. Only the default of kubeadm is known to be /12.
 */
function serviceRange(apiServer: string): BlockList | undefined {
  const range = new BlockList();
  const family = isIP(apiServer);
  if (family === 0) return undefined;
  if (family === 4) range.addSubnet(apiServer, apiServer === '10.96.0.1' ? 12 : 16, 'ipv4');
  else range.addSubnet(apiServer, 108, 'ipv6');
  return range;
}
