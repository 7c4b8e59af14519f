import type { EndpointSnapshot } from '../../core/snapshot.js';

interface Point {
  readonly time: number;
  readonly started: ReadonlyMap<string, number>;
}

const POINT_EVERY_MS = 1000;

/** The attempts of one client's endpoints in a sliding window, from the counters of its snapshots. */
export class AttemptCounts {
  readonly #points: Point[] = [];
  #latest: Point | undefined;
  #total = 0;

  /** @param windowMs How far it looks back. */
  constructor(private readonly windowMs: number) {}

  /** Takes the counters at a time, in milliseconds by any monotonic clock. */
  add(time: number, endpoints: readonly Pick<EndpointSnapshot, 'address' | 'started'>[]): void {
    this.#latest = { time, started: new Map(endpoints.map(({ address, started }) => [address, started])) };
    const last = this.#points.at(-1);
    if (last === undefined || time - last.time >= POINT_EVERY_MS) this.#points.push(this.#latest);
    // The oldest point is at the beginning of the window, or just before it.
    while (this.#points.length > 1 && this.#points[1]!.time <= time - this.windowMs) this.#points.shift();
    this.#total = 0;
    for (const address of this.#latest.started.keys()) this.#total += this.of(address);
  }

  /** Attempts at this address in the window. */
  of(address: string): number {
    const [oldest] = this.#points;
    if (!oldest || !this.#latest) return 0;
    const now = this.#latest.started.get(address) ?? 0;
    const before = oldest.started.get(address) ?? 0;
    // An endpoint that has left and returned counts from 0 again.
    return now >= before ? now - before : now;
  }

  /** Attempts a second; null until there are two points in time. */
  get perSecond(): number | null {
    const elapsed = this.#elapsedMs;
    return elapsed === 0 ? null : (this.#total * 1000) / elapsed;
  }

  /** The share of all attempts in the window that went to this address; null if there were none. */
  share(address: string): number | null {
    return this.#elapsedMs === 0 || this.#total === 0 ? null : this.of(address) / this.#total;
  }

  get #elapsedMs(): number {
    return this.#latest && this.#points[0] ? this.#latest.time - this.#points[0].time : 0;
  }
}
