import type { Cancel, Clock } from '../clock.js';
import type { CallInfo } from '../policy/policy.js';

/** A stream that is open for this many milliseconds lasts. */
export const LASTS_AFTER_MS = 10_000;

/** Streams that come to last within this time share one step of the timer. */
const STEP_MS = 1000;

/** Limits the methods: a proxy may receive calls with arbitrary method names. */
const MAX_METHODS = 1000;

/** One open stream on its endpoint. */
export interface CountedStream<E> {
  readonly endpoint: E;
  /** When its endpoint was picked, by the clock. */
  readonly reservedAt: number;
  /** From now on it counts among the streams of its endpoint instead of its calls in flight. */
  countAsStream(): void;
}

interface MethodStreams {
  /** Open streams, and how many of them last. */
  open: number;
  lasting: number;
  /** Whether streams of the method are expected to last. */
  lasts: boolean;
}

/**
 * Tells streams that last, such as subscriptions, from those that are calls with a long answer. A stream counts as a call
 * in flight at first: it may be a download, and over soon. Once it lasts, it counts by its number: a hundred idle
 * subscriptions are not a hundred busy calls. Of a method whose streams mostly last, a stream counts by its number from
 * the start.
 */
export class LastingStreams<E, S extends CountedStream<E>> {
  /** Streams that do not last yet, in the order of their picks. */
  readonly #young = new Map<S, MethodStreams | undefined>();
  readonly #lasting = new Map<E, Set<S>>();
  readonly #methods = new Map<string, MethodStreams>();
  #cancelSweep: Cancel | undefined;

  constructor(private readonly clock: Clock) {}

  /** Whether a stream that is about to be opened is expected to last. */
  expects({ lasting, method }: CallInfo): boolean {
    return lasting === true || this.#methods.get(method)?.lasts === true;
  }

  /** Called when a stream has been sent to its endpoint. */
  began(stream: S, call: CallInfo): void {
    if (call.lasting) return this.#add(stream);
    const method = this.#methodOf(call.method);
    if (method) method.open++;
    this.#young.set(stream, method);
    if (method?.lasts) this.#add(stream);
    this.#cancelSweep ??= this.clock.after(LASTS_AFTER_MS, this.#sweep);
  }

  /** Called when a stream has ended; a failure says nothing about how long streams of its method last. */
  ended(stream: S, call: CallInfo, failed: boolean): void {
    const counted = this.#remove(stream);
    const young = this.#young.delete(stream);
    if (call.lasting || !(counted || young)) return;
    const method = this.#methods.get(call.method);
    if (!method) return;
    if (!young) method.lasting--;
    else if (!failed && method.lasting * 2 < method.open) method.lasts = false;
    method.open--;
  }

  /** The open streams of an endpoint that count by their number. */
  of(endpoint: E): ReadonlySet<S> {
    return this.#lasting.get(endpoint) ?? NONE;
  }

  close(): void {
    this.#cancelSweep?.();
    this.#young.clear();
  }

  #methodOf(path: string): MethodStreams | undefined {
    let method = this.#methods.get(path);
    if (!method && this.#methods.size < MAX_METHODS)
      this.#methods.set(path, (method = { open: 0, lasting: 0, lasts: false }));
    return method;
  }

  #add(stream: S): void {
    stream.countAsStream();
    const { endpoint } = stream;
    let streams = this.#lasting.get(endpoint);
    if (!streams) this.#lasting.set(endpoint, (streams = new Set()));
    streams.add(stream);
  }

  #remove(stream: S): boolean {
    const streams = this.#lasting.get(stream.endpoint);
    if (!streams?.delete(stream)) return false;
    if (streams.size === 0) this.#lasting.delete(stream.endpoint);
    return true;
  }

  readonly #sweep = (): void => {
    this.#cancelSweep = undefined;
    const now = this.clock.now();
    for (const [stream, method] of this.#young) {
      const left = stream.reservedAt + LASTS_AFTER_MS - now;
      if (left > 0) {
        this.#cancelSweep = this.clock.after(Math.max(left, STEP_MS), this.#sweep);
        return;
      }
      this.#young.delete(stream);
      this.#add(stream);
      if (!method) continue;
      method.lasting++;
      if (method.lasting * 2 >= method.open) method.lasts = true;
    }
  };
}

const NONE: ReadonlySet<never> = new Set<never>();
