import type { SourceSnapshot } from '../../core/snapshot.js';
import { withoutSecrets } from '../../core/target-secrets.js';
import { parseTarget } from '../../discovery/index.js';

/** The snapshot of a target that has not been queried yet. */
export function pendingSource(target: string): SourceSnapshot {
  return {
    target: withoutSecrets(target),
    kind: parseTarget(target).scheme,
    state: 'pending',
    lastUpdate: null,
    staleForMs: null,
    error: null,
    clusterIp: false,
    dropped: 0,
    endpoints: 0,
    updates: 0,
    failures: 0,
  };
}

/** Discovery as a whole: the worst state of all targets, but never `failed` while one of them lists endpoints. */
export function summaryOf(sources: readonly SourceSnapshot[]): SourceSnapshot {
  if (sources.length === 1) return sources[0]!;
  const sum = (number: (source: SourceSnapshot) => number): number =>
    sources.reduce((total, source) => total + number(source), 0);
  const endpoints = sum((source) => source.endpoints);
  const updates = sources.flatMap(({ lastUpdate }) => lastUpdate ?? []);
  return {
    target: sources.map(({ target }) => target).join(' '),
    kind: [...new Set(sources.map(({ kind }) => kind))].join(' '),
    state: stateOf(sources, endpoints),
    lastUpdate: updates.length === 0 ? null : Math.max(...updates),
    staleForMs: sources.reduce<number | null>((most, { staleForMs }) => longer(most, staleForMs), null),
    error: sources.find(({ error }) => error !== null)?.error ?? null,
    clusterIp: sources.some(({ clusterIp }) => clusterIp),
    dropped: sum((source) => source.dropped),
    endpoints,
    updates: sum((source) => source.updates),
    failures: sum((source) => source.failures),
  };
}

function stateOf(sources: readonly SourceSnapshot[], endpoints: number): SourceSnapshot['state'] {
  const states = new Set(sources.map(({ state }) => state));
  if (states.has('failed') || states.has('stale')) return endpoints > 0 ? 'stale' : 'failed';
  return states.has('pending') ? 'pending' : 'ok';
}

function longer(one: number | null, other: number | null): number | null {
  if (one === null || other === null) return one ?? other;
  return Math.max(one, other);
}
