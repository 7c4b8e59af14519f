import { groupBy } from '../engine/group-by.js';
import { CENTRAL_QUEUE, PERFECT_KNOWLEDGE } from '../lineup.js';
import type { Scenario } from '../scenario.js';
import { type Cell, situationKey } from './cells.js';
import { clientsName, loadName, ratio } from './numbers.js';
import { situations, type Table } from './tables.js';

export type Measure = 'p99' | 'p999';
export type Verdict = 'win' | 'tie' | 'loss';

/** Two values within this distance count as equal. */
export const TIE = 0.03;

/** The subjects, and their peers: all policies that a client could use, not those that know more than a client can. */
export const SUBJECT = 'adaptive';
const NO_PEERS: ReadonlySet<string> = new Set([SUBJECT, CENTRAL_QUEUE.name, PERFECT_KNOWLEDGE.name]);

export interface Duel {
  readonly own: Cell;
  readonly rival: Cell;
  /** Own over rival: below 1 is better. */
  readonly ratio: number;
  readonly verdict: Verdict;
}

export function verdictOf(value: number): Verdict {
  if (value < 1 - TIE) return 'win';
  return value <= 1 + TIE ? 'tie' : 'loss';
}

export function duel(own: Cell, rival: Cell, measure: Measure): Duel {
  const value = own[measure] / rival[measure];
  return { own, rival, ratio: value, verdict: verdictOf(value) };
}

/** Situations in which latencies are meaningful. */
export function byLatency(scenarios: readonly Scenario[], cells: readonly Cell[]): Cell[] {
  const names = new Set(scenarios.filter(({ byFailures }) => byFailures !== true).map(({ name }) => name));
  return cells.filter(({ scenario }) => names.has(scenario));
}

/** The subject against the best peer of each situation. */
export function duelsOf(cells: readonly Cell[], measure: Measure): Duel[] {
  return [...groupBy(cells, situationKey).values()].flatMap((contest) => {
    const own = contest.find(({ contestant }) => contestant === SUBJECT);
    const peers = contest.filter(({ contestant }) => !NO_PEERS.has(contestant));
    if (!own || peers.length === 0) return [];
    const best = peers.reduce((least, peer) => (peer[measure] < least[measure] ? peer : least));
    return [duel(own, best, measure)];
  });
}

/** Rows are scenarios, columns situations: the subject over the best peer. */
export function bestPeerTable(scenarios: readonly Scenario[], cells: readonly Cell[], measure: Measure): Table {
  const duels = duelsOf(cells, measure);
  const columns = situations(duels.map(({ own }) => own));
  const show = ({ verdict, ratio: value, rival }: Duel): string => {
    if (verdict === 'win') return `**${ratio(value)}**`;
    return verdict === 'tie' ? ratio(value) : `${ratio(value)} (${rival.contestant})`;
  };
  return {
    head: ['scenario', ...columns.map(({ load, clients }) => `${loadName(load)}, ${clientsName(clients)}`)],
    rows: scenarios
      .filter(({ name }) => duels.some(({ own }) => own.scenario === name))
      .map(({ name, title }) => [
        title,
        ...columns.map(({ load, clients }) => {
          const found = duels.find(({ own }) => own.scenario === name && own.load === load && own.clients === clients);
          return found ? show(found) : '-';
        }),
      ]),
  };
}

/** The subject against each peer: how often it wins, and where it does worst. */
export function peerTable(cells: readonly Cell[]): Table {
  const peers = [...new Set(cells.map(({ contestant }) => contestant))].filter((name) => !NO_PEERS.has(name));
  const row = (name: string, duels: (measure: Measure) => readonly Duel[]): string[] => [
    name,
    ...(['p99', 'p999'] as const).flatMap((measure) => [counts(duels(measure)), worst(duels(measure))]),
  ];
  return {
    head: ['against', 'p99: win, tie, loss', 'worst', 'p99.9: win, tie, loss', 'worst'],
    rows: [
      ...peers.map((name) => row(name, (measure) => against(cells, name, measure))),
      row('**the best of them, each time**', (measure) => duelsOf(cells, measure)),
    ],
  };
}

function against(cells: readonly Cell[], peer: string, measure: Measure): Duel[] {
  return [...groupBy(cells, situationKey).values()].flatMap((contest) => {
    const own = contest.find(({ contestant }) => contestant === SUBJECT);
    const rival = contest.find(({ contestant }) => contestant === peer);
    return own && rival ? [duel(own, rival, measure)] : [];
  });
}

function counts(duels: readonly Duel[]): string {
  const count = (verdict: Verdict): number => duels.filter((each) => each.verdict === verdict).length;
  return `${count('win')}, ${count('tie')}, ${count('loss')}`;
}

function worst(duels: readonly Duel[]): string {
  const first = duels[0];
  if (!first) return '-';
  const { own, ratio: value } = duels.reduce((most, each) => (each.ratio > most.ratio ? each : most), first);
  return `${ratio(value)} (${own.scenario}, ${loadName(own.load)}, ${clientsName(own.clients)})`;
}
