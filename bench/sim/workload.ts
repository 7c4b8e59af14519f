import type { CallInfo } from '../../libs/grpc-lb/src/core/policy/policy.js';
import type { CriticalityLevel } from '../../libs/grpc-lb/src/core/call/criticality.js';
import { type Distribution, exponential } from './engine/distributions.js';
import { randomFor } from './engine/seeds.js';

/** A method of the service, and the cost of a call. */
export interface Method {
  readonly name: string;
  /** How important its calls are. Default: they do not say. */
  readonly criticality?: CriticalityLevel;
  /** Its share of all calls. */
  readonly share: number;
  /** Milliseconds for which it occupies a slot, or the event loop, at full speed. */
  readonly work: Distribution;
  /** Milliseconds for which it waits for another service, without occupying anything. */
  readonly io?: Distribution;
  /** It is a stream, which occupies no slot itself; `work` is that of each of its messages. */
  readonly stream?: { readonly lasts: Distribution; readonly every: Distribution };
}

/** Calls that arrive together, in addition to those that arrive one by one. */
export interface Bursts {
  /** The share of all calls that arrive in bursts. */
  readonly share: number;
  readonly size: number;
  /** Milliseconds over which a burst is spread. */
  readonly within: number;
}

export interface Workload {
  /** Milliseconds in which calls arrive; the run ends when the last of them has ended. */
  readonly duration: number;
  readonly methods: readonly Method[];
  readonly bursts?: Bursts;
  /** The share of calls that fail at once wherever they go. Default 0. */
  readonly errors?: number;
  /** The arrival rate over time, in milliseconds, relative to the usual rate. Default: always 1. */
  readonly pace?: (at: number) => number;
}

/**
 * All random values of a run, drawn for each call before any policy is asked: every policy is measured by the same
 * calls, with the same work, at the same times, from the same clients.
 */
export interface Trace {
  readonly size: number;
  /** When the call is made, in milliseconds, in this order. */
  readonly at: Float64Array;
  readonly work: Float64Array;
  /** How long it waits for another service, or how long the stream lasts. */
  readonly io: Float64Array;
  /** The index of its method. */
  readonly method: Uint8Array;
  /** From 0 to 1: a call fails at once where the share of failing calls exceeds this. */
  readonly luck: Float64Array;
  /** The client that makes it, from 0 to 1 over all clients, however many there are. */
  readonly who: Float64Array;
  readonly seed: number;
}

/** The work of the average call, in milliseconds of a slot at full speed. */
export function meanWork({ methods }: Workload): number {
  return methods.reduce((sum, { share, work, stream }) => {
    const each = stream ? (stream.lasts.mean / stream.every.mean) * work.mean : work.mean;
    return sum + share * each;
  }, 0);
}

export function callInfoOf({ name, stream }: Method): CallInfo {
  return Object.freeze({ method: `/sim.v1.Lab/${name}`, stream: stream !== undefined });
}

/** `rate` in calls per millisecond. */
export function drawTrace(workload: Workload, rate: number, seed: number): Trace {
  const at = arrivals(workload, rate, seed);
  const [works, kinds, clients, errors] = ['work', 'method', 'client', 'errors'].map((purpose) =>
    randomFor(seed, purpose),
  );
  const trace: Trace = {
    size: at.length,
    at,
    work: new Float64Array(at.length),
    io: new Float64Array(at.length),
    method: new Uint8Array(at.length),
    luck: new Float64Array(at.length),
    who: new Float64Array(at.length),
    seed,
  };
  for (let i = 0; i < at.length; i++) {
    const kind = pickMethod(workload.methods, kinds!());
    const { work, io, stream } = workload.methods[kind]!;
    trace.method[i] = kind;
    trace.work[i] = stream ? 0 : work.draw(works!);
    trace.io[i] = (stream?.lasts ?? io)?.draw(works!) ?? 0;
    const luck = errors!();
    trace.luck[i] = luck < (workload.errors ?? 0) ? 0 : luck;
    trace.who[i] = clients!();
  }
  return trace;
}

/** A Poisson process; bursts are a separate one. */
function arrivals({ duration, bursts, pace = () => 1 }: Workload, rate: number, seed: number): Float64Array {
  const times: number[] = [];
  const unit = exponential(1);
  const random = randomFor(seed, 'arrivals');
  const single = rate * (1 - (bursts?.share ?? 0));
  for (let at = unit.draw(random) / single; at < duration; at += unit.draw(random) / (single * pace(at)))
    times.push(at);
  if (bursts) {
    const begin = randomFor(seed, 'bursts');
    const gap = bursts.size / (rate * bursts.share);
    for (let at = unit.draw(begin) * gap; at < duration; at += unit.draw(begin) * gap)
      for (let i = 0; i < bursts.size; i++) times.push(at + begin() * bursts.within);
  }
  return Float64Array.from(times).toSorted();
}

function pickMethod(methods: readonly Method[], draw: number): number {
  let left = draw;
  for (let i = 0; i < methods.length - 1; i++) {
    left -= methods[i]!.share;
    if (left < 0) return i;
  }
  return methods.length - 1;
}
