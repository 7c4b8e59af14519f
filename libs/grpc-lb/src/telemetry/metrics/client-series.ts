import type { ObservedCall, WaitReason } from '../../grpc/call/call-observer.js';
import type { Counter } from './counters.js';
import { MethodSeries, type SeriesSource } from './method-series.js';
import type { HistogramSeries, Labels } from './series.js';
import { type ServerAddress, serverAddressOf } from './server-address.js';
import { knownCode, STATUS_NAMES } from './status-name.js';

/**
 * The methods that a client does not declare, but a filter names, which have series of their own; further ones are
 * `other`. Strangers may choose them, as the callers of a proxy do, and must not take the place of those it declares.
 */
const MAX_UNDECLARED = 1000;
/** Characters of the name of such a method; a longer one is `other`. Each of its series has it as a label. */
const MAX_NAME = 255;

/** Whether a method has series of its own, by its name and by whether its client declares it. */
export type MethodNaming = (method: string, declared: boolean) => boolean;

/** The series of the calls of one client. */
export class ClientSeries {
  readonly #labels: Labels;
  readonly #address: ServerAddress;
  readonly #methods = new Map<string, MethodSeries>();
  #undeclared = 0;
  #other: MethodSeries | undefined;
  readonly #waits = new Map<WaitReason, HistogramSeries>();

  constructor(
    private readonly source: SeriesSource,
    client: string,
    private readonly target: string,
    /** Whether to name a method. */
    private readonly naming: MethodNaming,
  ) {
    this.#labels = { 'grpc.lb.client': client, 'grpc.target': target };
    this.#address = serverAddressOf(target);
    // Series that alerts watch exist from the beginning.
    for (const reason of ['connection', 'stream_limit'] as const) this.pending(reason);
  }

  method({ method: path, declared }: ObservedCall): MethodSeries {
    const known = this.#methods.get(path);
    if (known) return known;
    const name = path.startsWith('/') ? path.slice(1) : path;
    const tooMany = !declared && (this.#undeclared >= MAX_UNDECLARED || name.length > MAX_NAME);
    if (tooMany || !this.naming(name, declared)) return (this.#other ??= this.#series('other'));
    if (!declared) this.#undeclared++;
    const series = this.#series(name);
    this.#methods.set(path, series);
    return series;
  }

  /** The calls that wait for this now. */
  pending(reason: WaitReason): Counter {
    return this.source.counters.get('grpc.lb.pending', { ...this.#labels, 'grpc.lb.wait_reason': reason });
  }

  /** @param seconds How long a call waited for this. */
  waited(reason: WaitReason, seconds: number, context: unknown): void {
    let series = this.#waits.get(reason);
    if (!series) {
      series = this.source.histogram('grpc.lb.wait.duration', { ...this.#labels, 'grpc.lb.wait_reason': reason });
      this.#waits.set(reason, series);
    }
    series.record(seconds, context);
  }

  /** Called when a call with hedges has ended. */
  hedged(won: boolean): void {
    this.source.counters.get('grpc.lb.hedges_won', this.#labels).value += won ? 1 : 0;
  }

  dropped(code: number): void {
    const labels = { ...this.#labels, 'grpc.status': STATUS_NAMES[knownCode(code)]! };
    this.source.counters.get('grpc.lb.dropped', labels).value++;
  }

  #series(method: string): MethodSeries {
    return new MethodSeries(this.source, method, this.target, this.#address);
  }
}
