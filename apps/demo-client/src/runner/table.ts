import type { BackendRow, Frame } from '../panel/frame.js';
import type { PhaseSummary } from '../load/tally.js';
import { bar, columns, count, ms, type Paint, percent } from './text.js';

const HEAD = ['backend', 'share of the last 5 s', 'calls', 'in flight', 'p50 ms', 'p99 ms', 'state'];
const NUMBERS = new Set([2, 3, 4, 5]);
const BAR_WIDTH = 13;

/** One frame as lines of text. */
export function drawFrame(frame: Frame, paint: Paint): string[] {
  const { phase, summary } = frame;
  const [head = '', ...rows] = columns([HEAD, ...frame.backends.map(cells)], NUMBERS);
  return [
    `${paint('bold', `${phase.title}: ${phase.policy}`)}  ${paint('dim', progress(frame))}`,
    `${totals(summary, paint)}   in flight ${count(frame.inFlight)}`,
    '',
    paint('dim', head),
    ...rows.map((row, index) => paintRow(row, frame.backends[index], paint)),
    ...frame.before.flatMap((before) => ['', paint('dim', `before: ${before.policy}`), totals(before, paint)]),
  ];
}

/** The final comparison of the phases. */
export function drawSummary(phases: readonly PhaseSummary[], paint: Paint): string[] {
  const [head = '', ...rows] = columns(
    [
      ['phase', 'policy', 'calls', 'errors', 'p50 ms', 'p99 ms', 'busiest backend'],
      ...phases.map((phase) => [
        phase.phase,
        phase.policy,
        count(phase.calls),
        count(phase.errors),
        ms(phase.p50),
        ms(phase.p99),
        busiest(phase),
      ]),
    ],
    new Set([2, 3, 4, 5, 6]),
  );
  return [paint('dim', head), ...rows];
}

function cells(row: BackendRow): string[] {
  const share = `${bar(row.share, BAR_WIDTH)} ${percent(row.share).padStart(7)}`;
  return [row.address, share, count(row.calls), count(row.inFlight), ms(row.p50), ms(row.p99), stateText(row)];
}

/** What the client sees, and what it cannot know: that the process is slowed down or stopped. */
function stateText(row: BackendRow): string {
  const notes = [
    ...(row.process === 'running' ? [] : [row.process]),
    ...(row.warmth === 1 ? [] : [`starts slowly, ${Math.round(row.warmth * 100)} % warm`]),
    ...(row.factor === 1 ? [] : [`${row.factor}x slower`]),
  ];
  return [row.state, ...notes].join(', ');
}

function paintRow(text: string, row: BackendRow | undefined, paint: Paint): string {
  if (row?.process !== 'running') return paint('dim', text);
  return row.state === 'up' || row.state === 'ready' ? text : paint('yellow', text);
}

function totals({ calls, errors, p50, p99 }: PhaseSummary, paint: Paint): string {
  const lost = `errors ${count(errors)}`;
  return `calls ${count(calls)}   ${errors > 0 ? paint('red', lost) : lost}   p50 ${ms(p50)} ms   p99 ${ms(p99)} ms`;
}

function progress({ phaseNumber, phaseCount, status, elapsedSeconds, seconds }: Frame): string {
  const time = `${Math.floor(elapsedSeconds)} s${seconds === null ? '' : ` of ${seconds} s`}`;
  const note = status === 'draining' ? ', waiting for the last answers' : '';
  return `phase ${phaseNumber} of ${phaseCount}, ${time}${note}`;
}

function busiest({ endpoints }: PhaseSummary): string {
  const calls = Object.values(endpoints);
  const all = calls.reduce((sum, value) => sum + value, 0);
  return all === 0 ? '–' : percent(Math.max(...calls) / all);
}
