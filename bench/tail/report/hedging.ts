import { groupBy } from '../../sim/engine/group-by.js';
import { percent, ratio } from '../../sim/report/numbers.js';
import type { Table } from '../../sim/report/tables.js';
import { extraAttemptsOf, type RunResult } from '../result.js';
import { SUBJECTS } from '../subjects.js';
import { type Spread, spreadOf } from './cells.js';
import { clientsName, duration, ratioSpread } from './words.js';

/** What hedging may cost and must gain while one backend is slow. */
const GOALS: Readonly<Record<string, { readonly p999: number; readonly extra: number }>> = {
  'one_slow/least_request': { p999: 0.7, extra: 0.03 },
  'one_slow/adaptive': { p999: 1, extra: 0.03 },
};

/** Each policy with hedging over the same without, on the same calls; undefined if none has run both ways. */
export function hedgingTable(results: readonly RunResult[]): Table | undefined {
  const plain = new Map(results.map((result) => [keyOf(result, result.subject), result]));
  const hedges = new Map(
    SUBJECTS.flatMap((each) => (each.kind === 'own' && each.hedges ? [[each.name, each.hedges]] : [])),
  );
  const pairs = results.flatMap((hedged) => {
    const policy = hedges.get(hedged.subject);
    const without = policy === undefined ? undefined : plain.get(keyOf(hedged, policy));
    return without ? [{ hedged, without }] : [];
  });
  if (pairs.length === 0) return undefined;
  const groups = groupBy(pairs, ({ without: { subject, spec } }) => `${spec.scenario}/${subject}/${spec.clients}`);
  return {
    head: ['scenario', 'clients', 'policy', 'p99.9', 'without', 'with / without', 'goal', 'more calls', 'goal'],
    rows: [...groups.values()].map((group) => {
      const { spec, subject } = group[0]!.without;
      const goal = GOALS[`${spec.scenario}/${subject}`];
      const extra = spreadOf(group.map(({ hedged }) => extraAttemptsOf(hedged)));
      return [
        spec.scenario,
        clientsName(spec.clients),
        subject,
        duration(spreadOf(group.map(({ hedged }) => hedged.latency.p999)).median),
        duration(spreadOf(group.map(({ without }) => without.latency.p999)).median),
        ratioSpread(spreadOf(group.map(({ hedged, without }) => hedged.latency.p999 / without.latency.p999))),
        goal ? `≤ ${ratio(goal.p999)}` : '',
        percentSpread(extra),
        goal ? `≤ ${percent(goal.extra)}` : '',
      ];
    }),
  };
}

function keyOf({ spec: { scenario, clients, seed } }: RunResult, subject: string): string {
  return `${scenario}/${clients}/${seed}/${subject}`;
}

function percentSpread({ median, low, high }: Spread): string {
  return low === high ? percent(median) : `${percent(median)} (${percent(low)} to ${percent(high)})`;
}
