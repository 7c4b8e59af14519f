import type { PlacedStream } from './placed-stream.js';

/** How many streams are looked at in one turn, so that many do not block the process. */
const AT_ONCE = 1000;

/** A stream with a key, and the endpoint where the key belongs now. */
export interface KeyMove<E> {
  readonly stream: PlacedStream<E>;
  readonly to: E;
}

/**
 * Finds the streams of a client that are not where their keys belong: calls with the same key go elsewhere since an
 * endpoint has joined or returned. Streams are looked at in turn, and those that move or fail to come last.
 */
export class KeyedStreams<E> {
  readonly #streams = new Set<PlacedStream<E>>();
  /** Streams that this round has not looked at; 0 between rounds. */
  #left = 0;
  #turn: Iterator<PlacedStream<E>, undefined> | undefined;
  /** Whether there must be another round. */
  #again = false;

  add(stream: PlacedStream<E>): void {
    if (!stream.keyed) return;
    this.#streams.add(stream);
    this.#again = true;
  }

  delete(stream: PlacedStream<E>): void {
    this.#streams.delete(stream);
  }

  /** Endpoints have changed. */
  changed(): void {
    this.#again = this.#streams.size > 0;
  }

  /** Whether there are streams that have not been looked at since the last change. */
  get due(): boolean {
    return this.#left > 0 || (this.#again && this.#streams.size > 0);
  }

  /**
   * The next stream that can move to where its key belongs; undefined if there is none among those that it has looked at.
   *
   * @param isLeaving Whether the streams of an endpoint are asked to go anyway.
   */
  next(isLeaving: (endpoint: E) => boolean): KeyMove<E> | undefined {
    if (this.#left === 0) this.#beginRound();
    for (let looks = Math.min(this.#left, AT_ONCE); looks > 0; looks--) {
      const { value: stream } = this.#turn!.next();
      if (!stream) {
        this.#left = 0;
        break;
      }
      this.#left--;
      const { endpoint, home } = stream;
      if (home === undefined || home === endpoint || isLeaving(endpoint)) continue;
      // A stream without a token may have one later; a move may fail.
      this.#again = true;
      if (!stream.movable) continue;
      this.#streams.delete(stream);
      this.#streams.add(stream);
      return { stream, to: home };
    }
    return undefined;
  }

  #beginRound(): void {
    this.#left = this.#again ? this.#streams.size : 0;
    this.#turn = this.#streams.values();
    this.#again = false;
  }
}
