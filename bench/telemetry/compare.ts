import { loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { cellsOf, type CpuRound, cpuRows } from '../peers/cpu-table.js';
import { startBackends } from '../peers/processes.js';
import { type Entry, measureRound } from '../peers/round.js';
import { saveResults } from '../results/store.js';
import { toMarkdown } from '../sim/report/tables.js';

/** Clients whose calls are compared with those of the first. */
export interface Comparison {
  /** Of the results. */
  readonly name: string;
  readonly head: readonly string[];
  readonly entries: readonly Entry[];
  /** By title: how much more a call may cost. */
  readonly goals: ReadonlyMap<string, number>;
}

/** Measures the CPU time of a unary call, in interleaved rounds on the same backends; prints and saves the table. */
export async function compare({ name, head, entries, goals }: Comparison): Promise<void> {
  const { values } = parseArgs({
    // What runs after it has the same arguments.
    strict: false,
    options: {
      rounds: { type: 'string', default: '7' },
      calls: { type: 'string', default: '20000' },
      concurrency: { type: 'string', default: '10' },
    },
  });
  const rounds = Number(values.rounds);
  const calls = Number(values.calls);
  const backends = await startBackends();
  const results = new Map(entries.map(({ title }) => [title, [] as CpuRound[]]));
  const options = { kind: 'unary', concurrency: Number(values.concurrency), total: calls } as const;
  for (let round = 1; round <= rounds; round++) {
    const runs = await measureRound(entries, options, backends);
    entries.forEach(({ title }, i) => results.get(title)!.push(runs[i]!));
    const ratios = runs.map(({ ratio }) => ratio.toFixed(2)).join(' ');
    process.stderr.write(`${name}: round ${round} of ${rounds}, ${ratios}, load average ${loadavg()[0]!.toFixed(1)}\n`);
  }
  await backends.stop();
  const title = `Client CPU for a unary call; ${calls} calls a round, ${values.concurrency} at a time; median (min to max) of ${rounds} rounds`;
  const rows = cpuRows(results, goals);
  console.log(`\n${title}\n\n${toMarkdown({ head, rows: rows.map(cellsOf) })}`);
  saveResults(name, name, { tables: [{ title, rows }] });
}
