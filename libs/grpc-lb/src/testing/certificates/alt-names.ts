import { isIPv4, isIPv6 } from 'node:net';
import { GrpcLbArgumentError } from '../../core/errors.js';
import { shown } from '../../core/options/validation.js';
import { sequence, tagged } from './der.js';

/** GeneralName of RFC 5280, section 4.2.1.6. */
const DNS_NAME = 0x82;
const URI = 0x86;
const IP_ADDRESS = 0x87;

/**
 * The names of a certificate: host names, addresses, URIs such as SPIFFE ids.
 *
 * @throws GrpcLbArgumentError if one is none of these.
 */
export function altNames(names: readonly string[]): Buffer {
  if (!Array.isArray(names) || names.length === 0)
    throw new GrpcLbArgumentError(`issue: names is ${shown(names)}; use a list, as in ["localhost", "127.0.0.1"]`);
  return sequence(...names.map(altName));
}

function altName(name: string): Buffer {
  if (isIPv4(name)) return tagged(IP_ADDRESS, Buffer.from(name.split('.').map(Number)));
  if (isIPv6(name)) return tagged(IP_ADDRESS, ipv6(name));
  if (typeof name === 'string' && /^[a-z][a-z\d+.-]*:\/\/[\x21-\x7e]+$/i.test(name))
    return tagged(URI, Buffer.from(name));
  if (typeof name === 'string' && /^(\*\.)?[\w-]+(\.[\w-]+)*$/.test(name)) return tagged(DNS_NAME, Buffer.from(name));
  throw new GrpcLbArgumentError(
    `issue: names has ${shown(name)}; use host names, addresses or URIs, as in "localhost", "127.0.0.1", "spiffe://example.org/orders"`,
  );
}

/** An address of 16 bytes. */
function ipv6(address: string): Buffer {
  // In its shortest form: hexadecimal, without a zone.
  const { hostname } = new URL(`http://[${address.replace(/%.*$/, '')}]`);
  const [head, tail] = hostname.slice(1, -1).split('::');
  const groups = (part = ''): number[] =>
    part === '' ? [] : part.split(':').map((group) => Number.parseInt(group, 16));
  const [first, last] = [groups(head), groups(tail)];
  const zeros = Array.from({ length: 8 - first.length - last.length }, () => 0);
  return Buffer.from([...first, ...zeros, ...last].flatMap((group) => [group >> 8, group & 0xff]));
}
