import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CENTRAL_QUEUE, PERFECT_KNOWLEDGE } from '../subjects.js';
import type { Plan } from '../plan.js';
import type { Scenario } from '../scenario.js';
import { SCENARIOS } from '../scenarios/index.js';
import type { Cell } from './cells.js';
import { dotPlot } from './dot-plot.js';
import { clientsName, loadName, milliseconds, percent, ratio } from './numbers.js';
import { introduction, summary } from './page-text.js';
import {
  failures,
  goodput,
  ofMethod,
  overviewTable,
  recovery,
  situations,
  situationTable,
  tail,
  toMarkdown,
} from './tables.js';
import { timePlot } from './time-plot.js';

const PAGE = 'docs/measurements/laboratory.md';
const IMAGES = 'docs/images/sim';

/**
 * Writes the page of the laboratory and its plots; run it from the root of the repository.
 *
 * @throws RangeError if only some scenarios were run, and one of them counts in the summary of all.
 */
export function writePage(plan: Plan, cells: readonly Cell[]): void {
  mkdirSync(IMAGES, { recursive: true });
  const isWhole = SCENARIOS.every((scenario) => plan.scenarios.includes(scenario));
  if (isWhole) for (const file of readdirSync(IMAGES)) if (file.endsWith('.svg')) rmSync(join(IMAGES, file));
  const summed = plan.scenarios.filter(({ byFailures }) => byFailures !== true);
  if (!isWhole && summed.length > 0)
    throw new RangeError(`${summed.map(({ name }) => name).join(', ')}: part of the summary; write all scenarios`);
  const chapters = plan.scenarios.map((scenario) => ({
    scenario,
    text: chapter(
      scenario,
      cells.filter((cell) => cell.scenario === scenario.name),
    ),
  }));
  const text = isWhole
    ? [introduction(plan), summary(plan, cells), '## The scenarios', ...chapters.map((each) => each.text)].join('\n\n')
    : chapters.reduce(replaceChapter, readFileSync(PAGE, 'utf8').trimEnd());
  writeFileSync(PAGE, `${text}\n`);
  execFileSync('npx', ['oxfmt', PAGE], { stdio: ['ignore', 'ignore', 'inherit'] });
}

/** The page with another text of one chapter, which may be new. */
function replaceChapter(page: string, { scenario, text }: { scenario: Scenario; text: string }): string {
  const parts = page.split(/\n\n(?=### )/);
  const isOf =
    ({ title }: Scenario) =>
    (part: string) =>
      part.startsWith(`### ${title}\n`);
  const at = parts.findIndex(isOf(scenario));
  if (at >= 0) return parts.with(at, text).join('\n\n');
  // Behind the last of those that come before it.
  const before = SCENARIOS.slice(0, SCENARIOS.indexOf(scenario));
  const last = parts.findLastIndex((part) => before.some((each) => isOf(each)(part)));
  return parts.toSpliced(last + 1, 0, text).join('\n\n');
}

function chapter(scenario: Scenario, all: readonly Cell[]): string {
  const cells = scenario.byFailures ? withoutOmniscient(all) : all;
  const parts = [`### ${scenario.title}`, scenario.explains, `\`--scenarios ${scenario.name}\``];
  parts.push(image(scenario, '', dotPlot(scenario, cells)));
  if (!scenario.byFailures) parts.push(tailCaption(cells), toMarkdown(overviewTable(cells, tail)));
  if (scenario.byShares)
    parts.push(
      'Calls at the busiest backend, over the mean:',
      toMarkdown(overviewTable(cells, ({ busiest }) => ratio(busiest * scenario.servers))),
    );
  if (cells.some(({ failed }) => failed > 0))
    parts.push('Share of the calls that fail:', toMarkdown(overviewTable(cells, failures)));
  if (cells.some(({ attempts }) => attempts > 1))
    parts.push('Attempts for a call:', toMarkdown(overviewTable(cells, ({ attempts }) => attempts.toFixed(3))));
  if (scenario.places?.known)
    parts.push(
      'Calls that leave the zone of their client:',
      toMarkdown(overviewTable(withoutOmniscient(cells), ({ crossed }) => percent(crossed))),
    );
  if (scenario.subjects && scenario.byFailures)
    parts.push(
      'Calls that succeed, as a share of what the backends can do:',
      toMarkdown(overviewTable(cells, goodput)),
    );
  if (scenario.byMethod)
    for (const [i, { name, criticality }] of scenario.workload.methods.entries()) {
      parts.push(`Share of the \`${criticality ?? name}\` calls that succeed, and their p99 in ms:`);
      parts.push(toMarkdown(overviewTable(cells, ofMethod(i))));
    }
  if (scenario.triggerEnds !== undefined) {
    parts.push('From the end of the trigger until fewer than 1 % of the calls fail:');
    parts.push(toMarkdown(overviewTable(cells, recovery(scenario.triggerEnds))));
  }
  const typical = typicalOf(cells);
  const { load, clients } = typical[0]!;
  if (scenario.timeline) parts.push(image(scenario, '-time', timePlot(scenario, typical)));
  parts.push(`More of ${loadName(load)} load with ${clientsName(clients)}:`);
  parts.push(toMarkdown(situationTable(typical)));
  return parts.join('\n\n');
}

/** Scenarios whose callers never give up have no such figures. */
function withoutOmniscient(cells: readonly Cell[]): Cell[] {
  const names = new Set([CENTRAL_QUEUE.name, PERFECT_KNOWLEDGE.name]);
  return cells.filter(({ subject }) => !names.has(subject));
}

/** The situation that is shown in full: ten clients at the lower load, or the closest one. */
function typicalOf(cells: readonly Cell[]): Cell[] {
  const { load, clients } = situations(cells).toSorted(
    (a, b) => a.load - b.load || Math.abs(a.clients - 10) - Math.abs(b.clients - 10),
  )[0]!;
  return cells.filter((cell) => cell.load === load && cell.clients === clients);
}

function tailCaption(cells: readonly Cell[]): string {
  const bounds = situations(cells)
    .map(({ load }) => cells.find((cell) => cell.subject === CENTRAL_QUEUE.name && cell.load === load)!)
    .filter((cell, i, all) => all.indexOf(cell) === i)
    .map(
      ({ load, absolute }) => `${milliseconds(absolute.p99)} / ${milliseconds(absolute.p999)} ms at ${loadName(load)}`,
    );
  return `p99 / p99.9 over those of the central queue, which are ${bounds.join(' and ')}:`;
}

function image(scenario: Scenario, suffix: string, svg: string): string {
  const file = `${scenario.name.replaceAll('_', '-')}${suffix}.svg`;
  writeFileSync(join(IMAGES, file), svg);
  const what = suffix === '' ? 'all policies at each load and number of clients' : 'second by second';
  return `![${scenario.title}: ${what}](../images/sim/${file})`;
}
