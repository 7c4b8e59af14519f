import { isIP } from 'node:net';
import type { Target } from '../../core/endpoint-source.js';
import { addressToString, type TcpAddress } from '../../core/endpoint.js';
import { type Fault, GrpcLbOptionsError } from '../../core/errors.js';
import { shown } from '../../core/options/validation.js';
import { readHostPort } from '../host-port.js';
import { NEXT_TARGET, SEVERAL_TARGETS, targetSubject } from '../target.js';

/** gRPC's default port of a DNS name. */
const DEFAULT_PORT = 443;
const DNS_PORT = 53;
/** The host of `${process.env.ORDERS_HOST}:50051` without that variable. */
const UNSET = /^(?:undefined|null)(?::|$)/;

export interface DnsTarget {
  /** The port is meaningless if SRV records provide it. */
  readonly address: TcpAddress;
  /** In the format of `dns.setServers`; empty means those of this system. */
  readonly servers: readonly string[];
}

/** Throws a `GrpcLbOptionsError` that lists all faults. */
export function parseDnsTarget(target: Target, srv: boolean): DnsTarget {
  const faults: Fault[] = [];
  const servers = parseServers(target, faults);
  const address = srv ? parseSrvName(target.path, faults) : parseAddress(target.path, faults);
  if (!address || faults.length > 0) throw new GrpcLbOptionsError(targetSubject(target), faults);
  return { address, servers };
}

/** `10.0.0.2`, `10.0.0.2:5353`, `[fd00::2]:53`, or several with commas. */
function parseServers({ authority, scheme, path }: Target, faults: Fault[]): string[] {
  if (authority === '') return [];
  const servers: string[] = [];
  for (const text of authority.split(',')) {
    const server = readHostPort('authority', text, faults, { defaultPort: DNS_PORT });
    if (server && isIP(server.host) === 0) {
      const remedy = `write ${scheme}://10.0.0.2:53/${path}, or ${scheme}:///${path} to ask the servers of this system`;
      faults.push({
        path: 'authority',
        message: `is ${shown(text)}, which is not the IP address of a DNS server; ${remedy}`,
      });
    } else if (server) servers.push(addressToString(server));
  }
  return [...new Set(servers)];
}

function parseAddress(text: string, faults: Fault[]): TcpAddress | undefined {
  const refuse = (message: string): void =>
    void faults.push({ path: 'address', message: `is ${shown(text)}${message}` });
  if (NEXT_TARGET.test(text)) refuse(`; ${SEVERAL_TARGETS}`);
  else if (text.includes(',')) refuse(`, but DNS looks up one name; for several addresses write static:///${text}`);
  else if (/^_[^.]+\._(tcp|udp)\./i.test(text)) refuse(`, the name of SRV records; write dns+srv:///${text}`);
  else if (UNSET.test(text)) refuse('; a variable that it is made of is not set');
  else return readHostPort('address', text, faults, { defaultPort: DEFAULT_PORT });
  return undefined;
}

function parseSrvName(text: string, faults: Fault[]): TcpAddress | undefined {
  const refuse = (message: string): void => void faults.push({ path: 'name', message: `is ${shown(text)}${message}` });
  const address = text.includes(',') ? undefined : readHostPort('name', text, faults, { defaultPort: DEFAULT_PORT });
  if (NEXT_TARGET.test(text)) refuse(`; ${SEVERAL_TARGETS}`);
  else if (text.includes(',')) refuse(', but DNS looks up one name; keep one, as in dns+srv:///_grpc._tcp.orders.shop');
  else if (address && isIP(address.host) > 0)
    refuse('; an IP address has no SRV records: write a name, or use dns:///');
  else if (/:\d+$/.test(text)) refuse('; SRV records contain the port: omit it here, or use dns:///');
  return address;
}
