import type { PlacedStream } from './placed-stream.js';

/** The streams of a client that were asked to move somewhere, until they have moved, ended, or failed to. */
export class MovesUnderWay<E> {
  readonly #streams = new Set<PlacedStream<E>>();

  get size(): number {
    return this.#streams.size;
  }

  add(stream: PlacedStream<E>): void {
    this.#streams.add(stream);
  }

  /** Called when it has moved, or ended. */
  delete(stream: PlacedStream<E>): void {
    this.#streams.delete(stream);
  }

  /** Ends the moves that have failed, and returns their streams. */
  takeFailed(): PlacedStream<E>[] {
    const failed = [...this.#streams].filter(({ moving }) => !moving);
    for (const stream of failed) this.#streams.delete(stream);
    return failed;
  }

  /** How many streams are about to leave each endpoint. */
  leaving(): ReadonlyMap<E, number> {
    const counts = new Map<E, number>();
    for (const { endpoint } of this.#streams) counts.set(endpoint, (counts.get(endpoint) ?? 0) + 1);
    return counts;
  }
}
