import type { Endpoint, Locality } from '../../core/endpoint.js';
import { shown } from '../../core/options/validation.js';
import type { AddressFamily, Slice, SliceEndpoint, SlicePort } from './endpoint-slice.js';

/** The endpoints of a Service, or why its slices name none that could be meant. */
export type Merged = { readonly endpoints: readonly Endpoint[] } | { readonly problem: string };

/** One address and port, with all that slices say of it. */
interface Candidate {
  readonly port: number;
  readonly entries: SliceEndpoint[];
}

/**
 * The slices of a Service as one list, each address once: an endpoint may stand in two slices while it moves from one to
 * the other, and a dual-stack Service has a slice of each family for the same pods.
 */
export function mergeSlices(slices: Iterable<Slice>, port: string | number, preferred: AddressFamily): Merged {
  const all = [...slices];
  const family = all.some(({ addressType }) => addressType === preferred) ? preferred : other(preferred);
  const used = all.filter(({ addressType }) => addressType === family);
  if (used.length === 0) return { problem: 'its EndpointSlices hold host names, no IP addresses' };

  const candidates = new Map<string, Candidate>();
  let matched = false;
  for (const slice of used) {
    const numbers = portsOf(slice, port);
    matched ||= numbers.length > 0 || slice.endpoints.length === 0;
    for (const number of numbers) {
      for (const entry of slice.endpoints) {
        const key = `${entry.host} ${number}`;
        const candidate = candidates.get(key);
        if (candidate) candidate.entries.push(entry);
        else candidates.set(key, { port: number, entries: [entry] });
      }
    }
  }
  // Slices without endpoints, as those of a Service scaled down to zero, may have no ports, and prove nothing.
  if (!matched) return { problem: noSuchPort(used, port) };

  const judged = [...candidates.values()].map((candidate) => ({ ...candidate, ...judge(candidate.entries) }));
  const ready = judged.filter(({ condition }) => condition === 'ready');
  // As kube-proxy: better a pod that is about to go than none.
  const best = ready.length > 0 ? ready : judged.filter(({ condition }) => condition === 'terminating-serving');
  return { endpoints: best.map(({ entry, port: number }) => toEndpoint(entry, number)).toSorted(byAddress) };
}

function other(family: AddressFamily): AddressFamily {
  return family === 'IPv4' ? 'IPv6' : 'IPv4';
}

/** Which numbers a port of the target stands for in a slice; mostly one, or none. */
function portsOf({ ports }: Slice, wanted: string | number): number[] {
  if (typeof wanted === 'string') {
    const numbers = ports.filter(({ name }) => name === wanted).map((each) => each.port);
    return [...new Set(numbers.filter((number) => number !== undefined))];
  }
  // A headless Service need not declare ports: then any number may be right.
  const open = ports.length === 0 || ports.some((each) => each.port === undefined || each.port === wanted);
  return open ? [wanted] : [];
}

/** A copy that says "terminating" is right about its pod: that is not taken back. Of two pods, the better one counts. */
function judge(entries: readonly SliceEndpoint[]): { entry: SliceEndpoint; condition: SliceEndpoint['condition'] } {
  const leaving = new Set(entries.filter(({ terminating }) => terminating).map(({ uid }) => uid));
  const current = entries.filter(({ uid, terminating }) => terminating || !leaving.has(uid));
  const entry =
    current.find(({ condition }) => condition === 'ready') ??
    current.find(({ condition }) => condition === 'terminating-serving') ??
    current[0]!;
  return { entry, condition: entry.condition };
}

function toEndpoint({ host, zone, node }: SliceEndpoint, port: number): Endpoint {
  const address = { host, port };
  if (zone === undefined && node === undefined) return { address };
  const locality: Locality = { ...(zone !== undefined && { zone }), ...(node !== undefined && { subZone: node }) };
  return { address, locality };
}

function byAddress(a: Endpoint, b: Endpoint): number {
  const [one, two] = [keyOf(a), keyOf(b)];
  return one < two ? -1 : Number(one > two);
}

function keyOf({ address }: Endpoint): string {
  return 'path' in address ? address.path : `${address.host} ${address.port}`;
}

function noSuchPort(slices: readonly Slice[], wanted: string | number): string {
  const known = new Set(slices.flatMap(({ ports }) => ports.map(portText)));
  const list = [...known].toSorted().slice(0, 10).join(', ') || 'none';
  const remedy =
    typeof wanted === 'number'
      ? 'write its name, or the number that the pods listen on (targetPort), which need not be the port of the Service'
      : 'write one of these names, or the number that the pods listen on';
  return `it has no port ${shown(wanted)} (its TCP ports: ${list}); ${remedy}`;
}

function portText({ name, port = 0 }: SlicePort): string {
  const number = port === 0 ? 'any' : String(port);
  return name === '' ? number : `${name} = ${number}`;
}
