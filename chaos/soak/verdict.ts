import type { ClientSnapshot } from '../../libs/grpc-lb/src/core/snapshot.js';
import type { Attempts } from './attempts.js';
import { type Census, warnings } from './census.js';

/** What the heap may have grown: compiled code, and tables that have reached their size. */
const HEAP_GROWTH = 2 * 2 ** 20;

export interface Evidence {
  readonly before: Census;
  readonly first: Census;
  readonly last: Census;
  readonly after: Census;
  readonly snapshotBefore: ClientSnapshot;
  readonly snapshot: ClientSnapshot;
  readonly attempts: Attempts;
}

/** What is not as it was, in words. */
export function verdict({ before, first, last, after, snapshotBefore, snapshot, attempts }: Evidence): string[] {
  const missed: string[] = [];
  const growth = last.heap - first.heap;
  if (growth > HEAP_GROWTH) missed.push(`the heap has grown by ${(growth / 2 ** 20).toFixed(1)} MB`);
  for (const key of ['timers', 'sockets', 'listeners', 'connections', 'healthWatches', 'endpoints'] as const) {
    if (last[key] > first[key]) missed.push(`${key}: ${first[key]} before, ${last[key]} afterwards`);
    if (after[key] > before[key]) missed.push(`${key}: ${before[key]} before the client, ${after[key]} after it`);
  }
  for (const each of [snapshotBefore, snapshot]) {
    const inFlight = each.endpoints.flatMap(({ inFlight: own, connections }) => [
      own,
      ...connections.map((c) => c.inFlight),
    ]);
    if (each.inFlight + each.pending > 0 || inFlight.some((count) => count !== 0)) {
      missed.push(
        `the ledger is not at zero: ${each.inFlight} in flight, ${each.pending} pending, ${inFlight.join(', ')}`,
      );
    }
  }
  if (attempts.unexplained > 0) missed.push(`${attempts.unexplained} unexplained errors`, ...attempts.told);
  missed.push(...warnings);
  return missed;
}
