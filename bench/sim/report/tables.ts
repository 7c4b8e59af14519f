import { CENTRAL_QUEUE } from '../subjects.js';
import type { Cell } from './cells.js';
import { clientsName, loadName, milliseconds, percent, ratio } from './numbers.js';

export interface Table {
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** Every measure of every subject, one row each: for the console. */
export function detailTable(cells: readonly Cell[]): Table {
  const head = ['load', 'clients', 'policy', 'p50', 'p99', 'p99.9', 'p99 of seeds', 'failed', 'attempts'];
  const rows = cells.map((cell) => [
    loadName(cell.load),
    String(cell.clients),
    cell.subject,
    ratio(cell.p50),
    ratio(cell.p99),
    ratio(cell.p999),
    cell.spread.map(ratio).join(' to '),
    percent(cell.failed),
    cell.attempts.toFixed(3),
    `${percent(cell.idlest)} to ${percent(cell.busiest)}`,
    String(cell.maxInFlight),
  ]);
  return { head: [...head, 'share of a server', 'most in flight'], rows };
}

/** One row for each subject, one column for each load and number of clients: for the page. */
export function overviewTable(cells: readonly Cell[], show: (cell: Cell) => string): Table {
  const columns = situations(cells);
  const subjects = [...new Set(cells.map(({ subject }) => subject))].filter((name) => name !== CENTRAL_QUEUE.name);
  return {
    head: ['policy', ...columns.map(({ load, clients }) => `${loadName(load)}, ${clientsName(clients)}`)],
    rows: subjects.map((name) => [
      name === 'adaptive' ? `**${name}**` : name,
      ...columns.map(({ load, clients }) => {
        const found = cells.find((cell) => cell.subject === name && cell.load === load && cell.clients === clients);
        return found ? show(found) : '-';
      }),
    ]),
  };
}

export function tail(cell: Cell): string {
  return `${ratio(cell.p99)} / ${ratio(cell.p999)}`;
}

export function failures(cell: Cell): string {
  return percent(cell.failed);
}

/** Calls that succeed, as a share of what the backends can do. */
export function goodput(cell: Cell): string {
  return percent((1 - cell.failed) * cell.load);
}

/** The share of the calls of one method that succeed, and their p99. */
export function ofMethod(index: number): (cell: Cell) => string {
  return ({ methods }) => {
    const { failed, p99 } = methods[index]!;
    return `${percent(1 - failed)} / ${Number.isNaN(p99) ? '-' : milliseconds(p99)}`;
  };
}

/** Fewer failures than this are no trouble. */
const FEW = 0.01;

/** Seconds after the end of the trigger from which on few calls fail. */
export function recovery(triggerEnds: number): (cell: Cell) => string {
  return ({ timeline }) => {
    const last = timeline.findLastIndex((failed) => failed >= FEW);
    if (last === timeline.length - 1) return 'never';
    return `${Math.max(0, last + 1 - triggerEnds)} s`;
  };
}

/** The other measures of one situation. */
export function situationTable(cells: readonly Cell[]): Table {
  const someFail = cells.some(({ failed }) => failed > 0);
  const retried = cells.some(({ attempts }) => attempts > 1);
  const head = ['policy', 'p50', 'p99', 'p99.9'];
  if (someFail) head.push('failed');
  if (retried) head.push('attempts for a call');
  head.push('share of a server', 'most in flight at one');
  const rows = cells.map((cell) => {
    const { p50, p99, p999 } = cell.absolute;
    const row = [
      cell.subject,
      ...[p50, p99, p999].map((value) => (Number.isNaN(value) ? '-' : `${milliseconds(value)} ms`)),
    ];
    if (someFail) row.push(percent(cell.failed));
    if (retried) row.push(cell.attempts.toFixed(3));
    row.push(`${percent(cell.idlest)} to ${percent(cell.busiest)}`, String(cell.maxInFlight));
    return row;
  });
  return { head, rows };
}

export function situations(cells: readonly Cell[]): { load: number; clients: number }[] {
  const seen = new Map(cells.map(({ load, clients }) => [`${load}/${clients}`, { load, clients }]));
  return [...seen.values()].toSorted((a, b) => a.load - b.load || a.clients - b.clients);
}

export function toMarkdown({ head, rows }: Table): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

/** In columns, for a terminal. */
export function toText({ head, rows }: Table): string {
  const widths = head.map((_, i) => Math.max(...[head, ...rows].map((row) => row[i]!.length)));
  const isNumber = (i: number): boolean => rows.every((row) => /^[-\d]/.test(row[i]!));
  const line = (row: readonly string[]): string =>
    row
      .map((cell, i) => (isNumber(i) ? cell.padStart(widths[i]!) : cell.padEnd(widths[i]!)))
      .join('  ')
      .trimEnd();
  return [head, ...rows].map(line).join('\n');
}
