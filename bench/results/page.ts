// Writes docs/measurements/benchmarks.md and its plots from stored results; run it from the root of the repository.
import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { toMarkdown } from '../sim/report/tables.js';
import { cellsOf as cpuCellsOf, CPU_HEAD, type CpuTable } from '../peers/cpu-table.js';
import type { MicroRow } from '../micro/print.js';
import { SCENARIOS } from '../tail/model/scenario.js';
import { cellsOf } from '../tail/report/cells.js';
import { chapter, overview, soundness } from '../tail/report/chapters.js';
import { hedgingTable } from '../tail/report/hedging.js';
import type { RunResult } from '../tail/result.js';
import { METRICS_HEAD, SCRAPE_HEAD, scrapeCellsOf, type ScrapeTable } from '../telemetry/tables.js';
import {
  bottom,
  cpuIntroduction,
  hedgingIntroduction,
  metricsIntroduction,
  microIntroduction,
  tailIntroduction,
  top,
  tracesIntroduction,
} from './page-text.js';
import { loadResults, type Stored } from './store.js';

const PAGE = 'docs/measurements/benchmarks.md';
const IMAGES = 'docs/images/bench';
const MICRO = ['pick', 'call', 'ledger', 'overload', 'latency', 'endpoint-list'];

const text = [top(), ...tailPart(), ...cpuPart(), ...metricsPart(), ...tracesPart(), ...microPart(), bottom()].join(
  '\n\n',
);
writeFileSync(PAGE, `${text}\n`);
execFileSync('npx', ['oxfmt', PAGE], { stdio: ['ignore', 'ignore', 'inherit'] });
console.log(`${PAGE} is written`);

function tailPart(): string[] {
  const stored = loadResults<{ results: RunResult[] }>('tail');
  if (!stored) return [];
  const cells = cellsOf(stored.results);
  mkdirSync(IMAGES, { recursive: true });
  for (const file of readdirSync(IMAGES)) if (file.endsWith('.svg')) rmSync(join(IMAGES, file));
  const saveImage = (name: string, svg: string): string => {
    writeFileSync(join(IMAGES, `${name}.svg`), svg);
    return `../images/bench/${name}.svg`;
  };
  return [
    tailIntroduction(stored.results[0]!.spec),
    '### At a glance',
    'p99 over that of the bound, 1.00 being the best there is; where a hundredth or more of the calls are lost (not answered within the deadline, or failed), their share instead. The number is that of client processes.',
    overview(cells),
    ...SCENARIOS.flatMap((scenario) => {
      const own = cells.filter((cell) => cell.scenario === scenario.name);
      return own.length === 0 ? [] : [chapter(scenario, own, saveImage)];
    }),
    ...hedgingPart(stored.results),
    '### Was the machine quiet?',
    soundness(cells),
    provenance(stored),
  ];
}

function hedgingPart(results: readonly RunResult[]): string[] {
  const table = hedgingTable(results);
  return table ? ['### Hedging', hedgingIntroduction(), toMarkdown(table)] : [];
}

function cpuPart(): string[] {
  const stored = loadResults<{ tables: CpuTable[] }>('cpu');
  if (!stored) return [];
  const tables = stored.tables.flatMap(({ title, head = CPU_HEAD, rows }) => [
    `${title}:`,
    toMarkdown({ head, rows: rows.map(cpuCellsOf) }),
  ]);
  return [cpuIntroduction(), ...tables, provenance(stored)];
}

function metricsPart(): string[] {
  const [calls, scrape] = [loadResults<{ tables: CpuTable[] }>('metrics'), loadResults<ScrapeTable>('scrape')];
  if (!calls || !scrape) return [];
  const tables = calls.tables.flatMap(({ title, rows }) => [
    `${title}:`,
    toMarkdown({ head: METRICS_HEAD, rows: rows.map(cpuCellsOf) }),
  ]);
  const table = toMarkdown({ head: SCRAPE_HEAD, rows: scrape.rows.map(scrapeCellsOf) });
  return [metricsIntroduction(), ...tables, `${scrape.title}:`, table, provenance(calls)];
}

function tracesPart(): string[] {
  const stored = loadResults<{ tables: CpuTable[] }>('traces');
  if (!stored) return [];
  const tables = stored.tables.flatMap(({ title, rows }) => [
    `${title}:`,
    toMarkdown({ head: METRICS_HEAD, rows: rows.map(cpuCellsOf) }),
  ]);
  return [tracesIntroduction(), ...tables, provenance(stored)];
}

function microPart(): string[] {
  const parts = MICRO.flatMap((name) => {
    const stored = loadResults<{ rows: MicroRow[] }>(`micro-${name}`);
    return stored ? [stored] : [];
  });
  if (parts.length === 0) return [];
  const rows = parts.flatMap((part) =>
    part.rows.map(({ name, p50, mean, p99 }) => [name, ...[p50, mean, p99].map(nanoseconds)]),
  );
  const table = toMarkdown({ head: ['what', 'p50 ns', 'mean ns', 'p99 ns'], rows });
  return [microIntroduction(), table, provenance({ ...parts[0]!, command: 'npm run bench micro' })];
}

function provenance({ command, date, environment: { machine, versions } }: Stored): string {
  const list = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  return `_\`${command}\`, ${date}, ${machine}; ${list.join(', ')}._`;
}

function nanoseconds(value: number): string {
  return value < 9.95 ? value.toFixed(1) : Math.round(value).toLocaleString('en');
}
