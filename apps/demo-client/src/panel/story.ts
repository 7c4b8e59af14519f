import type { PhaseStatus } from '../load/phase-run.js';
import type { BackendProcess } from '../backend-process.js';

/** What the story is about. */
export interface Plot {
  readonly phase: 'nest-default' | 'balanced';
  readonly status: PhaseStatus;
  /** Calls started in a second. */
  readonly rate: number;
  /** Calls that one backend can answer in a second at full speed; null if unknown. */
  readonly capacity: number | null;
  readonly backends: readonly Pick<BackendProcess, 'process' | 'factor'>[];
}

/** What happens, in sentences for someone who sees the demo for the first time. */
export function story({ phase, status, rate, capacity, backends }: Plot): string {
  const running = backends.filter((backend) => backend.process === 'running');
  const per = capacity === null ? null : Math.round(capacity);
  if (status === 'draining') return 'No more calls start: the demo waits for the last answers before it goes on.';
  if (phase === 'nest-default') return unbalanced(rate, per, backends.length);
  if (running.length === 0) return `${rate} calls a second, and no backend runs: every call fails.`;
  const slow = running.filter(({ factor }) => factor > 1);
  const total = running.reduce((sum, { factor }) => sum + (capacity ?? 0) / factor, 0);
  const can =
    capacity === null
      ? ''
      : total >= rate
        ? ` Together they can answer ${Math.round(total)} a second, so nobody has to wait long.`
        : ` Together they can answer only ${Math.round(total)} a second, so calls queue up: start a backend.`;
  const less =
    slow.length === 0
      ? ''
      : ` ${slow.length === 1 ? 'The slow one gets' : 'The slow ones get'} fewer, because calls stay with ${slow.length === 1 ? 'it' : 'them'} longer.`;
  return `You send ${rate} calls a second. Each goes to the backend with the fewest calls in flight, of ${running.length} that run.${less}${can}`;
}

function unbalanced(rate: number, per: number | null, backends: number): string {
  const rest =
    backends > 1 ? `, while ${backends === 2 ? 'the other one sits' : `the other ${backends - 1} sit`} idle` : '';
  if (per === null) return `You send ${rate} calls a second, and all of them go to one backend${rest}.`;
  if (rate <= per) return `You send ${rate} calls a second to one backend, which can answer ${per}${rest}.`;
  return `One backend answers ${per} calls a second, and you send ${rate} to it: every second ${rate - per} more wait${rest}.`;
}
