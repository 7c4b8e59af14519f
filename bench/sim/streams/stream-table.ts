import type { Table } from '../report/tables.js';
import { runStreams, type StreamResult } from './stream-run.js';
import { type StreamScenario, WATCHED } from './stream-scenario.js';

/** The results of one situation, one for each seed. */
export interface StreamRow {
  readonly clients: number;
  readonly behavior: string;
  readonly results: readonly StreamResult[];
}

export function streamRows(scenario: StreamScenario, seeds: readonly number[]): StreamRow[] {
  return scenario.clients.flatMap((clients) =>
    scenario.behaviors.map((behavior) => ({
      clients,
      behavior: behavior.name,
      results: seeds.map((seed) => runStreams(scenario, behavior, clients, seed)),
    })),
  );
}

export function streamTable(rows: readonly StreamRow[]): Table {
  return {
    head: [
      'clients',
      'streams',
      'seconds to 80 %',
      'moves a minute',
      'in the first ten',
      'in the busiest minute',
      'moved twice',
      'arrivals in a second',
      'fullest at the end',
    ],
    rows: rows.map(({ clients, behavior, results }) => {
      const over = (of: (result: StreamResult) => number): number[] => results.map(of);
      return [
        String(clients),
        behavior,
        range(over(({ filled }) => filled)),
        (meanOf(over(({ moves }) => moves)) / (WATCHED / 60_000)).toFixed(1),
        (meanOf(over(({ movesInTenMinutes }) => movesInTenMinutes)) / 10).toFixed(1),
        String(Math.max(...over(({ movesInBusiestMinute }) => movesInBusiestMinute))),
        String(Math.max(...over(({ movedAgain }) => movedAgain))),
        String(Math.max(...over(({ arrivals }) => arrivals))),
        Math.max(...over(({ fullestAtEnd }) => fullestAtEnd)).toFixed(2),
      ];
    }),
  };
}

function range(values: readonly number[]): string {
  const [low, high] = [Math.min(...values), Math.max(...values)].map((value) =>
    Number.isFinite(value) ? String(value) : 'never',
  );
  return low === high ? low! : `${low} to ${high}`;
}

function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
