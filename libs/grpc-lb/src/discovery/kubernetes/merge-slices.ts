import type { Endpoint, Locality } from '../../core/endpoint.js';
import { shown } from '../../core/options/validation.js';
import type { AddressFamily, Slice, SliceEndpoint, SlicePort } from './endpoint-slice.js';
import { meantFor, type Place } from './hints.js';

/** The endpoints of a Service, or why its slices contain no suitable ones. */
export type Merged = { readonly endpoints: readonly Endpoint[] } | { readonly problem: string };

/** One address and port, with all slice entries for it. */
interface Candidate {
  readonly port: number;
  /** The entry that counts; if there are several, set only after they have been compared. */
  entry: SliceEndpoint;
  /** All of them if there are several, which is rare. */
  entries: SliceEndpoint[] | undefined;
}

/**
 * The slices of a Service as one list, each address once: an endpoint may be in two slices while it moves from one to
 * the other, and a dual-stack Service has a slice of each family for the same pods.
 *
 * @param place Where this process runs, if hints count: endpoints that are meant for other places are the fallback.
 */
export function mergeSlices(
  slices: Iterable<Slice>,
  port: string | number,
  preferred: AddressFamily,
  place?: Place,
): Merged {
  const all = [...slices];
  const family = all.some(({ addressType }) => addressType === preferred) ? preferred : other(preferred);
  const used = all.filter(({ addressType }) => addressType === family);
  if (used.length === 0) return { problem: 'its EndpointSlices hold host names instead of IP addresses' };

  /** By port, usually only one, and then by host. */
  const candidates = new Map<number, Map<string, Candidate>>();
  let matched = false;
  for (const slice of used) {
    const number = portOf(slice, port);
    matched ||= number !== undefined || slice.endpoints.length === 0;
    if (number === undefined) continue;
    const byHost = candidates.get(number) ?? new Map<string, Candidate>();
    candidates.set(number, byHost);
    for (const entry of slice.endpoints) {
      const candidate = byHost.get(entry.host);
      if (candidate) (candidate.entries ??= [candidate.entry]).push(entry);
      else byHost.set(entry.host, { port: number, entry, entries: undefined });
    }
  }
  // Slices without endpoints, as those of a Service scaled to zero, may have no ports, and prove nothing.
  if (!matched) return { problem: noSuchPort(used, port) };

  const judged: Candidate[] = [];
  for (const byHost of candidates.values()) {
    for (const candidate of byHost.values()) {
      if (candidate.entries) candidate.entry = judge(candidate.entries);
      judged.push(candidate);
    }
  }
  const ready = judged.filter(({ entry }) => entry.condition === 'ready');
  // As in kube-proxy: a pod that is about to go is better than none.
  const best = ready.length > 0 ? ready : judged.filter(({ entry }) => entry.condition === 'terminating-serving');
  const meant =
    place &&
    meantFor(
      best.map(({ entry }) => entry),
      place,
    );
  const first = meant && new Set(meant);
  return {
    endpoints: best.toSorted(byAddress).map((candidate) => {
      const endpoint = toEndpoint(candidate);
      return !first || first.has(candidate.entry) ? endpoint : { ...endpoint, priority: 1 };
    }),
  };
}

function other(family: AddressFamily): AddressFamily {
  return family === 'IPv4' ? 'IPv6' : 'IPv4';
}

/**
 * The port number in a slice for the port of the target, if any. Names of ports are unique in a slice: the first wins.
 */
function portOf({ ports }: Slice, wanted: string | number): number | undefined {
  if (typeof wanted === 'string') return ports.find(({ name }) => name === wanted)?.port;
  // A headless Service need not declare ports: then any number may be right.
  const open = ports.length === 0 || ports.some((each) => each.port === undefined || each.port === wanted);
  return open ? wanted : undefined;
}

/** A pod that one slice marks as terminating is terminating: that is final. Of two pods, the better one is used. */
function judge(entries: readonly SliceEndpoint[]): SliceEndpoint {
  const leaving = new Set(entries.filter(({ terminating }) => terminating).map(({ uid }) => uid));
  const current = entries.filter(({ uid, terminating }) => terminating || !leaving.has(uid));
  return (
    current.find(({ condition }) => condition === 'ready') ??
    current.find(({ condition }) => condition === 'terminating-serving') ??
    current[0]!
  );
}

function toEndpoint({ entry: { host, zone, node }, port }: Candidate): Endpoint {
  const address = { host, port };
  if (zone === undefined && node === undefined) return { address };
  const locality: Locality = { ...(zone !== undefined && { zone }), ...(node !== undefined && { subZone: node }) };
  return { address, locality };
}

function byAddress(a: Candidate, b: Candidate): number {
  const [one, two] = [a.entry.host, b.entry.host];
  return one < two ? -1 : one > two ? 1 : a.port - b.port;
}

function noSuchPort(slices: readonly Slice[], wanted: string | number): string {
  const known = new Set(slices.flatMap(({ ports }) => ports.map(portText)));
  const list = [...known].toSorted().slice(0, 10).join(', ') || 'none';
  const remedy =
    typeof wanted === 'number'
      ? 'write its name, or the port that the pods listen on (targetPort), which may differ from the port of the Service'
      : 'write one of these names, or the port that the pods listen on';
  return `it has no port ${shown(wanted)} (its TCP ports: ${list}); ${remedy}`;
}

function portText({ name, port = 0 }: SlicePort): string {
  const number = port === 0 ? 'any' : String(port);
  return name === '' ? number : `${name} = ${number}`;
}
