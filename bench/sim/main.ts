// The laboratory: policies in virtual time, each on the same calls. `npm run sim -- --help` names the options.
import { readFileSync, writeFileSync } from 'node:fs';
import { GrpcLbOptionsError } from '../../libs/grpc-lb/src/core/errors.js';
import { groupBy } from './engine/group-by.js';
import { type SimOptions, simOptions, USAGE } from './options.js';
import { type Entry, type Plan, tasksOf } from './plan.js';
import { performAll } from './pool.js';
import { Progress } from './progress.js';
import { type Cell, cellsOf } from './report/cells.js';
import { milliseconds, loadName } from './report/numbers.js';
import { byLatency, peerTable, OWN_POLICY } from './report/summary.js';
import { detailTable, toText } from './report/tables.js';
import { writePage } from './report/page.js';
import { CENTRAL_QUEUE } from './subjects.js';
import type { Scenario } from './scenario.js';
import { SCENARIOS } from './scenarios/index.js';
import { STREAM_SCENARIOS } from './streams/scenarios.js';
import { writeStreamPage } from './streams/stream-page.js';
import { streamRows, streamTable } from './streams/stream-table.js';

async function main({ plan, write, json, from, threads }: SimOptions): Promise<void> {
  const began = performance.now();
  const entries = from === undefined ? await simulate(plan, threads) : from.flatMap(readEntries);
  const cells = cellsOf(entries);
  for (const scenario of plan.scenarios) tell(scenario, cells);
  const matchups = byLatency(plan.scenarios, cells);
  if (matchups.some(({ subject }) => subject === OWN_POLICY)) console.log(`\n${toText(peerTable(matchups))}`);
  if (json !== undefined) writeFileSync(json, JSON.stringify(entries));
  if (write) writePage(plan, cells);
  console.log(`\n${entries.length} runs in ${((performance.now() - began) / 1000).toFixed(1)} s`);
}

function streams({ plan: { seeds }, write }: SimOptions): void {
  const chapters = STREAM_SCENARIOS.map((scenario) => ({ scenario, rows: streamRows(scenario, seeds) }));
  for (const { scenario, rows } of chapters)
    console.log(`\n${scenario.name}: ${scenario.title}\n${toText(streamTable(rows))}`);
  if (write) writeStreamPage(chapters, seeds);
}

/** A value that is not a number is null in JSON. */
function readEntries(file: string): Entry[] {
  return JSON.parse(readFileSync(file, 'utf8'), (_, value: unknown) => value ?? NaN) as Entry[];
}

async function simulate(plan: Plan, threads: number): Promise<Entry[]> {
  const tasks = tasksOf(plan);
  const progress = new Progress(tasks, process.stderr);
  const entries = await performAll(tasks, threads, (task, seconds) => progress.done(task, seconds));
  progress.end();
  return entries;
}

function tell(scenario: Scenario, cells: readonly Cell[]): void {
  const own = cells.filter(({ scenario: name }) => name === scenario.name);
  const bounds = own.filter(({ subject }) => subject === CENTRAL_QUEUE.name);
  const others = own.filter(({ subject }) => subject !== CENTRAL_QUEUE.name);
  console.log(`\n${scenario.name}: ${scenario.title}`);
  for (const [load, [bound]] of groupBy(bounds, (cell) => cell.load)) {
    const [p50, p99, p999] = [bound!.absolute.p50, bound!.absolute.p99, bound!.absolute.p999].map(milliseconds);
    console.log(`central queue at ${loadName(load)}: ${p50} / ${p99} / ${p999} ms; below, ratios to it`);
  }
  const sorted = others.toSorted((a, b) => a.load - b.load || a.clients - b.clients);
  console.log(toText(detailTable(sorted)));
}

if (process.argv.includes('--help')) console.log(USAGE);
else {
  try {
    const options = simOptions(process.argv.slice(2));
    if (options.list) for (const { name, title } of SCENARIOS) console.log(`${name.padEnd(24)}${title}`);
    else if (options.streams) streams(options);
    else await main(options);
  } catch (error) {
    // The request is impossible: explains why, without a stack.
    if (!(error instanceof RangeError || error instanceof TypeError || error instanceof GrpcLbOptionsError))
      throw error;
    console.error(error.message);
    process.exitCode = 1;
  }
}
