import { byStatus, type Latency, type Outcome } from './outcome.js';
import type { SubjectName } from './protocol.js';
import type { Pass, Scenario } from './scenario.js';

/** One pass of a scenario, as it went for both. */
export interface Result {
  readonly scenario: Scenario;
  readonly pass: Pass;
  readonly outcomes: Readonly<Record<SubjectName, Outcome>>;
  /** What grpc-lb has missed; empty if its bound is met. */
  readonly missed: readonly string[];
}

export interface Skipped {
  readonly scenario: Scenario;
  readonly skipped: string;
}

export const NAMES: Readonly<Record<SubjectName, string>> = {
  'grpc-lb': '**nestjs-grpc-lb**',
  round_robin: 'grpc-js `round_robin`',
};

const HEAD = [
  'client',
  'failed calls',
  'out of rotation',
  'back again',
  'p50 / p99 before, ms',
  'p50 / p99 from the fault on, ms',
];

const USUAL_CALL_MS = 20;
/** On a quiet machine calls take up to 10 ms more than their backends do. */
const BUSY_MS = 40;

const row = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
const latency = ({ p50, p99 }: Latency): string => `${p50.toFixed(0)} / ${p99.toFixed(0)}`;

export function table({ scenario, pass, outcomes, missed }: Result): string {
  const rows = Object.entries(outcomes).map(([name, outcome]) =>
    row([
      NAMES[name as SubjectName],
      failures(outcome),
      out(outcome),
      back(outcome),
      latency(outcome.before),
      latency(outcome.during),
    ]),
  );
  const remarks = Object.entries(outcomes).flatMap(([name, outcome]) => {
    const remark = [probes(outcome), scenario.remark?.(outcome)].filter(Boolean).join('; ');
    return remark ? [`${NAMES[name as SubjectName]}: ${remark}.`] : [];
  });
  const busy = Math.max(...Object.values(outcomes).map(({ before }) => before.p99));
  const { callMs = USUAL_CALL_MS } = scenario;
  if (busy > callMs + BUSY_MS)
    remarks.push(`The machine was busy: calls of ${callMs} ms took up to ${busy.toFixed(0)} ms (p99) before.`);
  const verdict = missed.length === 0 ? 'met' : `**missed**: ${missed.join('; ')}`;
  return [
    `### ${pass.label}`,
    `Bound: ${pass.bound}: ${verdict}.`,
    [row(HEAD), row(HEAD.map(() => '---')), ...rows].join('\n'),
    ...remarks,
  ].join('\n\n');
}

/** `3 of 2400 (UNAVAILABLE 3)` */
function failures({ failed, calls }: Outcome): string {
  const statuses = Object.entries(byStatus(failed)).map(([name, count]) => `${name} ${count}`);
  return `${failed.length} of ${calls}${statuses.length > 0 ? ` (${statuses.join(', ')})` : ''}`;
}

function out({ rotations, course }: Outcome): string {
  if (rotations.length === 0) return '-';
  if (rotations.every(({ used }) => !used)) return 'never in';
  const times = [...new Set(rotations.map((each) => (each.out === null ? 'never' : `${each.out.toFixed(0)} ms`)))];
  const closing = course.faults.flatMap((fault) => (fault.closing === undefined ? [] : [fault.closing - fault.from]));
  const gone = course.faults.flatMap((fault) => (fault.gone === undefined ? [] : [fault.gone - fault.from]));
  const ports = closing.length > 0 ? ` (port closes after ${Math.min(...closing).toFixed(0)} ms)` : '';
  const process = gone.length > 0 ? ` (process gone after ${Math.min(...gone).toFixed(0)} ms)` : '';
  return times.join(', ') + ports + process;
}

function back({ rotations }: Outcome): string {
  const times = rotations.flatMap((each) => (each.back === null ? [] : [each.back]));
  return times.length === 0 ? '-' : `${Math.max(...times).toFixed(0)} ms`;
}

function probes({ rotations }: Outcome): string {
  const count = rotations.reduce((sum, each) => sum + each.probes, 0);
  return count === 0 ? '' : `${count} ${count === 1 ? 'probe' : 'probes'} while it was ejected`;
}
