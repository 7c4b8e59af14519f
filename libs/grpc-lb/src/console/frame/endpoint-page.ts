import { EJECTED_BY_HAND } from '../../core/balancing/health/passive-health.js';
import type { ClientSnapshot, EndpointSnapshot } from '../../core/snapshot.js';
import type { EndpointExplanation } from '../../grpc/channel/explain.js';
import type { LatencyView } from '../calls/recent-latencies.js';
import type { AttemptCounts } from './attempt-counts.js';
import type { EndpointPage, EndpointRow } from './frame.js';
import type { EndpointSort, ViewQuery } from './view-query.js';

/** A longer table is slow to draw and hard to read. */
const ROWS = 50;

/** What is known of the endpoints of a client. */
export interface EndpointFacts {
  readonly snapshot: ClientSnapshot;
  readonly explained: readonly EndpointExplanation[];
  readonly counts: AttemptCounts;
  readonly latencyOf: (address: string) => LatencyView | undefined;
}

/** The rows that a viewer looks at: sorted, filtered, and one page of them. */
export function endpointPage(facts: EndpointFacts, { sort, filter, page }: ViewQuery): EndpointPage {
  const { endpoints, drained = [] } = facts.snapshot;
  const states: Partial<Record<EndpointRow['state'], number>> = {};
  for (const { state } of endpoints) states[state] = (states[state] ?? 0) + 1;
  const gone = drained.filter((address) => endpoints.every((each) => each.address !== address));
  if (gone.length > 0) states.drained = gone.length;
  const matching = filter === '' ? endpoints : endpoints.filter((each) => matches(each, filter));
  const goneMatching = gone.filter((address) => address.toLowerCase().includes(filter) || 'drained'.includes(filter));
  const count = matching.length + goneMatching.length;
  const pages = Math.max(1, Math.ceil(count / ROWS));
  const at = Math.min(page, pages - 1);
  const sorted = sortedBy(matching, sort, facts);
  const why = new Map(facts.explained.map((each) => [each.address, each]));
  // What the operator has taken out comes first: it waits to be restored.
  const rows = [
    ...goneMatching.map((address) => () => drainedRow(address)),
    ...sorted.map((each) => () => rowOf(each, why.get(each.address), facts)),
  ];
  return {
    total: endpoints.length + gone.length,
    matching: count,
    page: at,
    pages,
    states,
    rows: rows.slice(at * ROWS, (at + 1) * ROWS).map((make) => make()),
  };
}

function matches({ address, state, locality }: EndpointSnapshot, filter: string): boolean {
  return (
    address.toLowerCase().includes(filter) ||
    state.includes(filter) ||
    (locality?.zone?.toLowerCase().includes(filter) ?? false)
  );
}

/** Higher comes first. Endpoints that are equal keep the order of discovery. */
function sortedBy(
  endpoints: readonly EndpointSnapshot[],
  sort: EndpointSort,
  { counts, latencyOf }: EndpointFacts,
): readonly EndpointSnapshot[] {
  const keys: Readonly<Record<EndpointSort, ((endpoint: EndpointSnapshot) => number) | undefined>> = {
    attention: ({ state, warmth, failureRate }) =>
      // In steps, so that rows do not change places all the time.
      (state === 'ready' ? 0 : 4) + (warmth < 1 ? 1 : 0) + Math.round(Math.min(1, failureRate * 2) * 4) / 4,
    discovery: undefined,
    share: ({ address }) => counts.of(address),
    inFlight: ({ inFlight }) => inFlight,
    p50: ({ address }) => latencyOf(address)?.p50 ?? -1,
    p99: ({ address }) => latencyOf(address)?.p99 ?? -1,
  };
  const key = keys[sort];
  if (!key) return endpoints;
  return endpoints
    .map((endpoint) => [key(endpoint), endpoint] as const)
    .toSorted(([one], [other]) => other - one)
    .map(([, endpoint]) => endpoint);
}

function rowOf(
  endpoint: EndpointSnapshot,
  explained: EndpointExplanation | undefined,
  { snapshot: { drained = [] }, counts, latencyOf }: EndpointFacts,
): EndpointRow {
  const { address, state, since, reason, inFlight, failureRate, refusalRate, warmth, weight } = endpoint;
  const { priority, locality, started, failed, connections, streams, shed, shedding } = endpoint;
  const latency = latencyOf(address);
  return {
    address,
    state,
    since,
    reason,
    why: explained?.why ?? state,
    chance: explained?.chance ?? 0,
    share: counts.share(address),
    inFlight,
    streams,
    p50: latency?.p50 ?? null,
    p99: latency?.p99 ?? null,
    failureRate,
    refusalRate,
    shedding,
    shed: Object.values(shed).reduce((sum, count) => sum + count, 0),
    // Progress matters only while it gets calls.
    warmth: state === 'ready' ? warmth : 1,
    weight,
    priority,
    zone: locality?.zone ?? null,
    started,
    failed,
    connections,
    restorable: drained.includes(address) || (state === 'ejected' && (reason?.startsWith(EJECTED_BY_HAND) ?? false)),
  };
}

function drainedRow(address: string): EndpointRow {
  return {
    address,
    state: 'drained',
    since: null,
    reason: 'drained by hand: gets no calls until it is restored',
    why: 'drained by hand',
    chance: 0,
    share: null,
    inFlight: 0,
    streams: { open: 0, oldestMs: null, medianMs: null },
    p50: null,
    p99: null,
    failureRate: 0,
    refusalRate: 0,
    shedding: false,
    shed: 0,
    warmth: 1,
    weight: 0,
    priority: 0,
    zone: null,
    started: 0,
    failed: 0,
    connections: [],
    restorable: true,
  };
}
