import type { Clock } from '../clock.js';
import type { CallInfo } from '../policy/policy.js';
import { type Lingered, Lingering } from './lingering.js';
import { MethodLatency } from './method-latency.js';

/** How long a refused stream counts before any stream has ended: streams may be open for hours. */
const STREAM_MS = 10_000;

/**
 * The cost of fast refusals: if one endpoint answers UNIMPLEMENTED at once and the others work, each of its answers
 * counts as load for as long as such a call usually takes.
 */
export class Refusals<E extends Lingered> {
  readonly #usual = new MethodLatency();
  readonly #lingering: Lingering<E>;

  constructor(clock: Clock) {
    this.#lingering = new Lingering(clock);
  }

  succeeded({ method }: CallInfo, latency: number): void {
    this.#usual.record(method, latency);
  }

  /** Called when the endpoint has refused a call that the others do not refuse. */
  refused(endpoint: E, { method, stream }: CallInfo, latency: number): void {
    const usual = this.#usual.usual(method) ?? (stream ? STREAM_MS : 0);
    this.#lingering.hold(endpoint, usual - latency);
  }

  close(): void {
    this.#lingering.close();
  }
}
