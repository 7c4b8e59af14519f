/** What is due in the same turn. */
interface Bucket {
  readonly tick: number;
  readonly items: Set<Due>;
}

/** Something that happens later, unless it is deleted before. */
export interface Due {
  /** Where it waits; kept by the queue. */
  bucket: Bucket | undefined;
  /** Its time has come. */
  due(): void;
}

/** Times are rounded up to this. */
const TICK_MS = 100;

/**
 * Thousands of coarse times with one timer, which runs only while there is any: items whose time falls into the same
 * tenth of a second share a bucket. It does not keep the process alive.
 */
export class DueQueue {
  readonly #buckets = new Map<number, Bucket>();
  #timer: NodeJS.Timeout | undefined;
  #done = 0;

  /** Adds an item that is not in the queue. */
  add(item: Due, delay: number): void {
    if (this.#timer === undefined) {
      this.#done = tickOf(performance.now());
      this.#timer = setInterval(() => this.#run(), TICK_MS).unref();
    }
    const tick = Math.max(this.#done, tickOf(performance.now() + delay)) + 1;
    let bucket = this.#buckets.get(tick);
    if (!bucket) this.#buckets.set(tick, (bucket = { tick, items: new Set() }));
    bucket.items.add(item);
    item.bucket = bucket;
  }

  delete(item: Due): void {
    const { bucket } = item;
    if (!bucket) return;
    item.bucket = undefined;
    bucket.items.delete(item);
    if (bucket.items.size === 0) this.#buckets.delete(bucket.tick);
  }

  /** Forgets all. */
  clear(): void {
    this.#buckets.clear();
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #run(): void {
    const now = tickOf(performance.now());
    while (this.#done < now && this.#buckets.size > 0) {
      const bucket = this.#buckets.get(++this.#done);
      if (!bucket) continue;
      this.#buckets.delete(this.#done);
      for (const item of bucket.items) {
        item.bucket = undefined;
        item.due();
      }
    }
    if (this.#buckets.size === 0) this.clear();
  }
}

function tickOf(time: number): number {
  return Math.floor(time / TICK_MS);
}
