import { groupBy } from '../engine/group-by.js';
import { CENTRAL_QUEUE, isHedged, PERFECT_KNOWLEDGE } from '../subjects.js';
import type { Scenario } from '../scenario.js';
import { type Cell, situationKey } from './cells.js';
import { clientsName, loadName, ratio } from './numbers.js';
import { situations, type Table } from './tables.js';

export type Measure = 'p99' | 'p999';
export type Verdict = 'better' | 'equal' | 'worse';

/** Two values within this distance count as equal. */
export const EQUAL = 0.03;

/** This project's policy. Its peers are the policies that a client could use, not those that know more than a client can. */
export const OWN_POLICY = 'adaptive';
const NO_PEERS: ReadonlySet<string> = new Set([OWN_POLICY, CENTRAL_QUEUE.name, PERFECT_KNOWLEDGE.name]);

export interface Matchup {
  readonly own: Cell;
  readonly peer: Cell;
  /** Own over peer's: below 1 is better. */
  readonly ratio: number;
  readonly verdict: Verdict;
}

export function verdictOf(value: number): Verdict {
  if (value < 1 - EQUAL) return 'better';
  return value <= 1 + EQUAL ? 'equal' : 'worse';
}

export function matchup(own: Cell, peer: Cell, measure: Measure): Matchup {
  const value = own[measure] / peer[measure];
  return { own, peer, ratio: value, verdict: verdictOf(value) };
}

/** Situations in which latencies are meaningful. Hedging is not what policies differ in. */
export function byLatency(scenarios: readonly Scenario[], cells: readonly Cell[]): Cell[] {
  const names = new Set(
    scenarios.filter(({ byFailures, byShares }) => byFailures !== true && byShares !== true).map(({ name }) => name),
  );
  return cells.filter(({ scenario, subject }) => names.has(scenario) && !isHedged(subject));
}

/** This project's policy against the best peer of each situation. */
export function matchupsOf(cells: readonly Cell[], measure: Measure): Matchup[] {
  return [...groupBy(cells, situationKey).values()].flatMap((all) => {
    const own = all.find(({ subject }) => subject === OWN_POLICY);
    const peers = all.filter(({ subject }) => !NO_PEERS.has(subject));
    if (!own || peers.length === 0) return [];
    const best = peers.reduce((least, peer) => (peer[measure] < least[measure] ? peer : least));
    return [matchup(own, best, measure)];
  });
}

/** Rows are scenarios, columns situations: this project's policy over the best peer. */
export function bestPeerTable(scenarios: readonly Scenario[], cells: readonly Cell[], measure: Measure): Table {
  const matchups = matchupsOf(cells, measure);
  const columns = situations(matchups.map(({ own }) => own));
  const show = ({ verdict, ratio: value, peer }: Matchup): string => {
    if (verdict === 'better') return `**${ratio(value)}**`;
    return verdict === 'equal' ? ratio(value) : `${ratio(value)} (${peer.subject})`;
  };
  return {
    head: ['scenario', ...columns.map(({ load, clients }) => `${loadName(load)}, ${clientsName(clients)}`)],
    rows: scenarios
      .filter(({ name }) => matchups.some(({ own }) => own.scenario === name))
      .map(({ name, title }) => [
        title,
        ...columns.map(({ load, clients }) => {
          const found = matchups.find(
            ({ own }) => own.scenario === name && own.load === load && own.clients === clients,
          );
          return found ? show(found) : '-';
        }),
      ]),
  };
}

/** This project's policy against each peer: how often it is better, and where it is worst. */
export function peerTable(cells: readonly Cell[]): Table {
  const peers = [...new Set(cells.map(({ subject }) => subject))].filter(
    (name) => !NO_PEERS.has(name) && against(cells, name, 'p99').length > 0,
  );
  const row = (name: string, matchups: (measure: Measure) => readonly Matchup[]): string[] => [
    name,
    ...(['p99', 'p999'] as const).flatMap((measure) => [counts(matchups(measure)), worst(matchups(measure))]),
  ];
  return {
    head: ['against', 'p99: better, equal, worse', 'worst', 'p99.9: better, equal, worse', 'worst'],
    rows: [
      ...peers.map((name) => row(name, (measure) => against(cells, name, measure))),
      row('**the best of them, each time**', (measure) => matchupsOf(cells, measure)),
    ],
  };
}

function against(cells: readonly Cell[], name: string, measure: Measure): Matchup[] {
  return [...groupBy(cells, situationKey).values()].flatMap((all) => {
    const own = all.find(({ subject }) => subject === OWN_POLICY);
    const peer = all.find(({ subject }) => subject === name);
    return own && peer ? [matchup(own, peer, measure)] : [];
  });
}

function counts(matchups: readonly Matchup[]): string {
  const count = (verdict: Verdict): number => matchups.filter((each) => each.verdict === verdict).length;
  return `${count('better')}, ${count('equal')}, ${count('worse')}`;
}

function worst(matchups: readonly Matchup[]): string {
  const first = matchups[0];
  if (!first) return '-';
  const { own, ratio: value } = matchups.reduce((most, each) => (each.ratio > most.ratio ? each : most), first);
  return `${ratio(value)} (${own.scenario}, ${loadName(own.load)}, ${clientsName(own.clients)})`;
}
