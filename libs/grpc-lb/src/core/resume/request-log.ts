import type { TokenKey } from './token-key.js';

/** A request of the subscriber that may have to be sent once more. */
export interface LoggedRequest<Req> {
  readonly request: Req;
  /** Undefined if the server does not acknowledge it: it is sent once. */
  readonly key: TokenKey | undefined;
  /** Its length on the wire. */
  readonly bytes: number;
  /** Its place in the order of all requests. */
  readonly number: number;
  /** Whether a call has taken it. */
  sent: boolean;
  removed: boolean;
}

/** The requests that are not sent yet, or not acknowledged, in their order. */
export class RequestLog<Req> {
  /** Holes are closed when they are more than half of it. */
  #entries: LoggedRequest<Req>[] = [];
  readonly #byKey = new Map<TokenKey, LoggedRequest<Req>>();
  #next = 0;
  #size = 0;
  #bytes = 0;

  get size(): number {
    return this.#size;
  }

  /** The sum of the lengths of its requests. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Returns whether no other request with this key waits for its acknowledgment. */
  append(request: Req, key: TokenKey | undefined, bytes: number): boolean {
    if (key !== undefined && this.#byKey.has(key)) return false;
    const entry = { request, key, bytes, number: this.#next++, sent: false, removed: false };
    this.#entries.push(entry);
    if (key !== undefined) this.#byKey.set(key, entry);
    this.#size++;
    this.#bytes += bytes;
    return true;
  }

  /** The first request from a number on. */
  from(number: number): LoggedRequest<Req> | undefined {
    const entries = this.#entries;
    let [low, high] = [0, entries.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (entries[middle]!.number < number) low = middle + 1;
      else high = middle;
    }
    while (entries[low]?.removed) low++;
    return entries[low];
  }

  /**
   * Removes an acknowledged request; if `cumulative`, also those before it. Ignores keys of requests that are unknown, or
   * that no call has taken yet.
   */
  acknowledge(key: TokenKey, cumulative: boolean): void {
    const entry = this.#byKey.get(key);
    if (!entry?.sent) return;
    if (!cumulative) this.remove(entry);
    else this.#removeBefore(entry.number + 1, (each) => each.key !== undefined);
  }

  /** Removes the requests before a number that are not acknowledged: the call that has taken them carries the stream. */
  settle(number: number): void {
    this.#removeBefore(number, (each) => each.key === undefined);
  }

  remove(entry: LoggedRequest<Req>): void {
    if (entry.removed) return;
    entry.removed = true;
    if (entry.key !== undefined) this.#byKey.delete(entry.key);
    this.#size--;
    this.#bytes -= entry.bytes;
    if (this.#entries.length > 2 * this.#size + 16) this.#entries = this.#entries.filter((each) => !each.removed);
  }

  #removeBefore(number: number, which: (entry: LoggedRequest<Req>) => boolean): void {
    // Removing may replace the array, but does not change it.
    for (const entry of this.#entries) {
      if (entry.number >= number) return;
      if (which(entry)) this.remove(entry);
    }
  }
}
