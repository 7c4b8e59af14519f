import { isIPv4, isIPv6, SocketAddress } from 'node:net';
import { domainToASCII } from 'node:url';
import type { TcpAddress } from '../core/endpoint.js';
import { type Fault, GrpcLbOptionsError } from '../core/errors.js';
import { shown } from '../core/options/validation.js';

export interface HostPortOptions {
  /** The default port of an address without one. By default such an address is an error. */
  readonly defaultPort?: number;
}

/**
 * Reads `host:port`, where the host is a name, an IPv4 address, or an IPv6 address in brackets. The returned host has a
 * canonical spelling (lower case, ASCII, short form of IPv6), so that equal addresses are equal strings.
 *
 * Throws a `GrpcLbOptionsError` that begins with `what`, as in `target "dns:///orders"`.
 */
export function parseHostPort(text: string, what: string, options: HostPortOptions = {}): TcpAddress {
  const faults: Fault[] = [];
  const address = readHostPort('address', text, faults, options);
  if (!address) throw new GrpcLbOptionsError(what, faults);
  return address;
}

/** The same for callers that collect faults: returns undefined and adds them to `faults`. */
export function readHostPort(
  path: string,
  text: string,
  faults: Fault[],
  { defaultPort }: HostPortOptions = {},
): TcpAddress | undefined {
  const fault = (message: string): undefined => void faults.push({ path, message: `is ${shown(text)}${message}` });

  const parts = split(text);
  if (!parts) return fault('; write host:port, with an IPv6 address in brackets, as in "[::1]:50051"');
  if (parts.host === '') return fault(', without a host; write host:port, with a name or an IP address');
  const host = canonicalHost(parts.host);
  if (host === undefined) fault(`, and ${shown(parts.host)} is neither a host name nor an IP address`);
  if (parts.port === undefined && defaultPort === undefined) {
    return fault(`, without a port; add one, as in ${shown(`${text}:50051`)}`);
  }
  const port = parts.port === undefined ? defaultPort : parsePort(parts.port);
  if (port === undefined) fault(`, and ${shown(parts.port)} is not a port; use a whole number from 1 to 65535`);
  return host === undefined || port === undefined ? undefined : { host, port };
}

/** Splits at the colon, unless it is ambiguous. */
function split(text: string): { host: string; port?: string } | undefined {
  const bracketed = /^\[(.*)\](?::(.*))?$/.exec(text);
  if (bracketed) return isIPv6(bracketed[1]!) ? { host: bracketed[1]!, port: bracketed[2] } : undefined;
  const [host, port, ...more] = text.split(':');
  return more.length > 0 ? undefined : { host: host!, port };
}

function parsePort(text: string): number | undefined {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  return port >= 1 && port <= 65_535 ? port : undefined;
}

function canonicalHost(host: string): string | undefined {
  if (isIPv4(host)) return host;
  if (isIPv6(host)) return canonicalIPv6(host);
  // domainToASCII gets only names that need it: it also drops tabs, and cuts `orders/x` to `orders`.
  const ascii = /^[ -~]*$/.test(host) || /[\s/\\?#]/.test(host) ? host.toLowerCase() : domainToASCII(host);
  return isHostName(ascii) ? ascii : undefined;
}

function canonicalIPv6(text: string): string {
  const [address, zone] = text.split('%');
  const short = new SocketAddress({ address: address!, family: 'ipv6' }).address;
  return zone === undefined ? short : `${short}%${zone}`;
}

/**
 * Letters, digits, `-` and, because container names have it, `_`; it may end in a dot. A last label of only digits is a
 * mistyped IPv4 address, such as `10.0.0.300`; no top-level domain looks like that.
 */
function isHostName(text: string): boolean {
  const labels = text.replace(/\.$/, '').split('.');
  return (
    text.length <= 254 && labels.every((label) => /^[a-z0-9_-]{1,63}$/.test(label)) && !/^\d+$/.test(labels.at(-1)!)
  );
}
