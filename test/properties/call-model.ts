import type { AttemptEnd } from '../../libs/grpc-lb/src/core/call/attempt-end.js';
import type { AttemptKind } from '../../libs/grpc-lb/src/core/call/plan-owner.js';

/** What a call may do, in the words of gRFC A6. */
export interface Setup {
  readonly policy: 'none' | 'retry' | 'hedge';
  readonly maxAttempts: number;
  /** Retryable or non-fatal. */
  readonly codes: ReadonlySet<number>;
  readonly initialBackoff: number;
  readonly maxBackoff: number;
  readonly backoffMultiplier: number;
  /** The random number of each jitter. */
  readonly draw: number;
  readonly hedgingDelay: number | undefined;
  readonly attemptTimeout: number | undefined;
  readonly deadline: number;
  readonly throttle: { readonly maxTokens: number; readonly tokenRatio: number; readonly tokens: number } | undefined;
  readonly budget: { readonly ratio: number; readonly minPerSecond: number } | undefined;
}

/** What happens to a call. Attempts have numbers, in the order in which they were placed. */
export type Fact =
  | { readonly what: 'start' | 'seal' | 'stop' | 'time' | 'placed' | 'another_call' }
  | { readonly what: 'unplaceable'; readonly end: AttemptEnd }
  | { readonly what: 'responded'; readonly attempt: number }
  | { readonly what: 'ended'; readonly attempt: number; readonly end: AttemptEnd };

export type Event = Fact & { readonly at: number };

/** What the plan does, as text. */
export type Command = string;

interface Alarm {
  readonly at: number;
  /** An attempt whose time is over, a retry, or a hedge, which may be granted already. */
  readonly why: number | 'retry' | 'hedge' | 'granted hedge';
}

interface Failure {
  readonly attempt: number | undefined;
  readonly end: AttemptEnd;
}

/** A call after some events. Every list is in the order of time. */
export interface Call {
  readonly commands: readonly Command[];
  readonly phase: 'open' | 'sealed' | 'committed' | 'over';
  readonly running: readonly number[];
  readonly placing: AttemptKind | undefined;
  readonly placements: number;
  /** Attempts that count toward `maxAttempts`. */
  readonly counted: number;
  readonly retriesSincePushback: number;
  readonly alarms: readonly Alarm[];
  readonly mayHedge: boolean;
  readonly granted: boolean;
  readonly last: Failure | undefined;
  readonly tokens: number;
  /** When calls started, and when the budget granted retries and hedges. */
  readonly calls: readonly number[];
  readonly grants: readonly number[];
}

const before = (tokens: number): Call => ({
  commands: [],
  phase: 'open',
  running: [],
  placing: undefined,
  placements: 0,
  counted: 0,
  retriesSincePushback: 0,
  alarms: [],
  mayHedge: true,
  granted: false,
  last: undefined,
  tokens,
  calls: [],
  grants: [],
});

/** What gRFC A6 and the design of this project make of a history; the events of alarms are part of it. */
export function callAfter(setup: Setup, history: readonly Event[]): Call {
  return history.reduce((call, event) => next(setup, call, event), before(setup.throttle?.tokens ?? 0));
}

/** The alarm that goes off first; of two at the same time, the one set first. */
export function nextAlarm({ alarms }: Call): Alarm | undefined {
  return alarms.reduce<Alarm | undefined>((first, alarm) => (first && first.at <= alarm.at ? first : alarm), undefined);
}

function next(setup: Setup, call: Call, event: Event): Call {
  if (event.what === 'another_call') return { ...call, calls: [...call.calls, event.at] };
  if (call.phase === 'over') return call;
  switch (event.what) {
    case 'start':
      return place({ ...call, calls: [...call.calls, event.at] }, 'first');
    case 'placed':
      return placed(setup, call, event.at);
    case 'responded':
      return call.running.includes(event.attempt)
        ? commit(
            without(call, ({ why }) => why === event.attempt),
            event.attempt,
          )
        : call;
    case 'seal':
      return call.phase !== 'open'
        ? call
        : call.running.length > 0
          ? commit(call, call.running[0]!)
          : { ...call, phase: 'sealed' };
    case 'stop':
      return { ...call, phase: 'over', alarms: [] };
    case 'unplaceable':
      return ended(
        setup,
        { ...call, placing: undefined },
        event.at,
        { attempt: undefined, end: event.end },
        call.placing,
      );
    case 'ended':
      return call.running.includes(event.attempt) ? ended(setup, gone(call, event.attempt), event.at, event) : call;
    case 'time':
      return rang(setup, call, event.at);
  }
}

/** "gRPC's call deadline applies across all attempts"; it is a `stop` in the history. */
function rang(setup: Setup, call: Call, at: number): Call {
  const alarm = nextAlarm(call);
  if (!alarm || alarm.at > at) return call;
  const silent = without(call, (each) => each === alarm);
  const { why } = alarm;
  if (typeof why === 'number') {
    const end: AttemptEnd = { code: 4, progress: 'processed', timedOut: true };
    return ended(setup, say(gone(silent, why), `cancel ${why} timed out`), at, { attempt: why, end });
  }
  if (why === 'retry') return place(silent, 'retry');
  if (silent.placing) return silent;
  if (why === 'granted hedge') return place(silent, 'hedge');
  const granted = hedgeable(setup, silent) ? grant(setup, silent, at) : undefined;
  return granted ? place(granted, 'hedge') : silent;
}

function placed(setup: Setup, call: Call, at: number): Call {
  const attempt = call.placements;
  const { attemptTimeout, hedgingDelay } = setup;
  const alarm = attemptTimeout === undefined ? [] : [{ at: at + attemptTimeout, why: attempt }];
  const sent: Call = {
    ...call,
    placing: undefined,
    placements: attempt + 1,
    running: [...call.running, attempt],
    alarms: [...call.alarms, ...alarm],
  };
  if (call.phase === 'sealed') return commit(sent, attempt);
  // "After hedgingDelay has elapsed without a successful response, the second RPC will be issued."
  const scheduled = sent.alarms.some(({ why }) => typeof why !== 'number');
  if (scheduled || hedgingDelay === undefined || !hedgeable(setup, sent)) return sent;
  const due: Call = { ...sent, alarms: [...sent.alarms, { at: at + hedgingDelay, why: 'hedge' }] };
  // "Set this to "0s" ... to immediately send all maxAttempts RPCs."
  return hedgingDelay > 0 ? due : rangHedge(setup, due, at);
}

function rangHedge(setup: Setup, call: Call, at: number): Call {
  const silent = without(call, ({ why }) => why === 'hedge');
  const granted = grant(setup, silent, at);
  return granted ? place(granted, 'hedge') : silent;
}

/** "There are five possible types of server responses." */
function ended(setup: Setup, call: Call, at: number, failure: Failure, kind?: AttemptKind): Call {
  const { attempt, end } = failure;
  const ok = end.code === 0;
  // "Every successful RPC will increment the token_count by tokenRatio."
  if (ok && setup.throttle) {
    const { maxTokens, tokenRatio } = setup.throttle;
    call = { ...call, tokens: Math.min(maxTokens, call.tokens + tokenRatio) };
  }
  if (ok || end.local || call.phase === 'committed') return finish(call, failure);
  if (end.progress === 'dropped') return leave(call, failure);
  if (end.progress === 'exhausted') {
    if (kind === 'hedge') call = { ...call, counted: call.counted - 1, mayHedge: false };
    // "If this fails, then the RPC will be handled by the configured retry policy."
    if (kind === 'transparent' && call.last) return byPolicy(setup, call, at, call.last);
    return leave(call, call.last ?? failure);
  }
  if (attempt !== undefined && call.placing !== 'transparent') call = { ...call, last: failure };
  const untouched = end.progress === 'refused';
  return untouched && call.phase === 'open' ? again(call) : byPolicy(setup, call, at, failure);
}

/** "Transparent retries do not count toward the limit of configured RPC attempts (maxAttempts)." */
function again(call: Call): Call {
  if (call.placing === undefined) return place(call, 'transparent');
  const freed = { ...call, counted: call.counted - 1 };
  // Two attempts are to be repeated: one is, and the other may become a hedge.
  if (call.placing === 'transparent') return freed;
  return place(say({ ...freed, granted: true, placing: undefined }, 'unplace'), 'transparent');
}

function byPolicy(setup: Setup, call: Call, at: number, failure: Failure): Call {
  const { end } = failure;
  if (setup.policy === 'none') return finish(call, failure);
  const repeatable = end.timedOut === true || setup.codes.has(end.code);
  // "If the value for pushback is negative or unparseble, then it will be seen as the server asking ... not to retry".
  const forbidden = end.pushback !== undefined && (Number.isNaN(end.pushback) || end.pushback < 0);
  // "... or that receive a pushback response indicating not to retry."
  if (repeatable || forbidden) call = { ...call, tokens: Math.max(0, call.tokens - 1) };
  if (!repeatable) return finish(call, failure);
  return setup.policy === 'retry'
    ? retry(setup, call, at, failure, forbidden)
    : hedge(setup, call, at, failure, forbidden);
}

function retry(setup: Setup, call: Call, at: number, failure: Failure, forbidden: boolean): Call {
  if (forbidden || call.counted >= setup.maxAttempts || call.phase !== 'open') return finish(call, failure);
  const { initialBackoff, backoffMultiplier, maxBackoff, draw } = setup;
  const { pushback } = failure.end;
  // "Retry in n ms. If this attempt also fails, retry delay will reset to initial backoff".
  const n = pushback === undefined ? call.retriesSincePushback + 1 : 0;
  const backoff = Math.min(initialBackoff * backoffMultiplier ** (n - 1), maxBackoff);
  // The jitter of the later gRFCs: "random(0.8, 1.2)".
  const delay = pushback ?? backoff * (1 - 0.2 + 2 * 0.2 * draw);
  const granted = delay < setup.deadline - at ? grant(setup, call, at) : undefined;
  if (!granted) return finish(call, failure);
  const waiting = { ...granted, retriesSincePushback: n };
  return delay > 0 ? { ...waiting, alarms: [{ at: at + delay, why: 'retry' }] } : place(waiting, 'retry');
}

function hedge(setup: Setup, call: Call, at: number, failure: Failure, forbidden: boolean): Call {
  // "If the pushback says not to retry, no further hedged requests will be sent."
  if (forbidden) call = { ...call, mayHedge: false };
  const delay = failure.end.pushback ?? 0;
  const possible = hedgeable(setup, call) && delay < setup.deadline - at;
  const granted = possible ? grant(setup, call, at) : undefined;
  if (!granted) return leave(call, failure);
  // "Immediately send next scheduled hedged request"; "Send next hedged request in n ms".
  if (delay <= 0) return place(granted, 'hedge');
  const rest = without(granted, ({ why }) => typeof why !== 'number');
  return { ...rest, alarms: [...rest.alarms, { at: at + delay, why: 'granted hedge' }] };
}

function hedgeable({ policy, maxAttempts }: Setup, { phase, placing, counted, mayHedge }: Call): boolean {
  return policy === 'hedge' && phase === 'open' && placing === undefined && mayHedge && counted < maxAttempts;
}

/** The call with a grant for one more attempt, if throttle and budget allow it. */
function grant({ throttle, budget }: Setup, call: Call, at: number): Call | undefined {
  // "If token_count is less than or equal to the threshold, defined to be (maxTokens / 2), then RPCs will not be retried".
  if (throttle && call.tokens <= throttle.maxTokens / 2) return undefined;
  if (call.granted || !budget) return { ...call, granted: true };
  const recent = (times: readonly number[]): number =>
    times.filter((time) => Math.floor(time / 1000) > Math.floor(at / 1000) - 10).length;
  const allowed = budget.ratio * recent(call.calls) + budget.minPerSecond * 10;
  return recent(call.grants) + 1 > allowed ? undefined : { ...call, granted: true, grants: [...call.grants, at] };
}

function place(call: Call, kind: AttemptKind): Call {
  const asked = say({ ...call, placing: kind }, `place ${kind}`);
  if (kind === 'transparent') return asked;
  const rest = without(asked, ({ why }) => typeof why !== 'number');
  return { ...rest, granted: false, counted: call.counted + 1 };
}

/** "Once we have committed to a particular attempt": the others are cancelled, and none follows. */
function commit(call: Call, attempt: number): Call {
  if (call.phase === 'committed') return call;
  const alone = onlyWith(call, attempt);
  return say({ ...alone, phase: 'committed' }, `commit ${attempt}`);
}

function finish(call: Call, { attempt, end }: Failure): Call {
  return say({ ...onlyWith(call, undefined), phase: 'over', alarms: [] }, `finish ${attempt} ${end.code}`);
}

/** The call ends with this failure unless another attempt may still answer it. */
function leave(call: Call, failure: Failure): Call {
  return call.running.length > 0 || call.placing ? call : finish(call, failure);
}

function onlyWith(call: Call, attempt: number | undefined): Call {
  const unplaced = call.placing ? say({ ...call, placing: undefined }, 'unplace') : call;
  const losers = call.running.filter((each) => each !== attempt);
  const cancelled = losers.reduce((rest, loser) => say(gone(rest, loser), `cancel ${loser}`), unplaced);
  return without(cancelled, ({ why }) => typeof why !== 'number');
}

function gone(call: Call, attempt: number): Call {
  const rest = without(call, ({ why }) => why === attempt);
  return { ...rest, running: call.running.filter((each) => each !== attempt) };
}

function without(call: Call, drop: (alarm: Alarm) => boolean): Call {
  return { ...call, alarms: call.alarms.filter((alarm) => !drop(alarm)) };
}

function say(call: Call, command: Command): Call {
  return { ...call, commands: [...call.commands, command] };
}
