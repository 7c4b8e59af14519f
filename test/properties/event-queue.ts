interface Event {
  readonly at: number;
  /** Events at the same time run in the order in which they were set. */
  readonly order: number;
  readonly run: () => void;
}

/** The events of a simulation in virtual time: a binary heap for many thousand events. */
export class EventQueue {
  now = 0;
  readonly #heap: Event[] = [];
  #order = 0;

  after(delayMs: number, run: () => void): void {
    const event = { at: this.now + delayMs, order: this.#order++, run };
    const heap = this.#heap;
    let place = heap.push(event) - 1;
    while (place > 0) {
      const parent = (place - 1) >> 1;
      if (!isBefore(event, heap[parent]!)) break;
      heap[place] = heap[parent]!;
      place = parent;
    }
    heap[place] = event;
  }

  runUntil(end: number): void {
    while (this.#heap.length > 0 && this.#heap[0]!.at <= end) {
      const { at, run } = this.#take();
      this.now = at;
      run();
    }
    this.now = end;
  }

  #take(): Event {
    const heap = this.#heap;
    const first = heap[0]!;
    const last = heap.pop()!;
    if (heap.length === 0) return first;
    let place = 0;
    for (;;) {
      let child = 2 * place + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child++;
      if (!isBefore(heap[child]!, last)) break;
      heap[place] = heap[child]!;
      place = child;
    }
    heap[place] = last;
    return first;
  }
}

function isBefore(a: Event, b: Event): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order);
}
