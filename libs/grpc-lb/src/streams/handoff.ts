interface Item {
  readonly value: unknown;
  readonly taken: () => void;
}

/** Passes items on one by one: the giver is told when its item has been taken. */
export class Handoff implements AsyncIterableIterator<unknown, undefined> {
  #item: Item | undefined;
  #taker: ((result: IteratorResult<unknown, undefined>) => void) | undefined;
  #ended = false;
  /** Whether nobody takes items any more. */
  #left = false;

  [Symbol.asyncIterator](): this {
    return this;
  }

  /** Called when the last item has been taken. */
  give(value: unknown, taken: () => void): void {
    if (this.#left) return taken();
    const taker = this.#taker;
    if (!taker) {
      this.#item = { value, taken };
      return;
    }
    this.#taker = undefined;
    taker({ value, done: false });
    taken();
  }

  /** No item follows. */
  end(): void {
    this.#ended = true;
    this.#taker?.(DONE);
    this.#taker = undefined;
  }

  next(): Promise<IteratorResult<unknown, undefined>> {
    const item = this.#item;
    if (item) {
      this.#item = undefined;
      item.taken();
      return Promise.resolve({ value: item.value, done: false });
    }
    if (this.#ended) return Promise.resolve(DONE);
    return new Promise((resolve) => (this.#taker = resolve));
  }

  return(): Promise<IteratorResult<unknown, undefined>> {
    this.end();
    this.#left = true;
    // As in grpc-js, what is written after the end is dropped: its writer would wait for good.
    this.#item?.taken();
    this.#item = undefined;
    return Promise.resolve(DONE);
  }
}

const DONE: IteratorReturnResult<undefined> = { value: undefined, done: true };
