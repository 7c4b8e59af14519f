import type { Slice } from './endpoint-slice.js';

/** Endpoints, ports and slices in total: several times the size of the 10000 endpoints that a client uses. */
export const MAX_ENTRIES = 40_000;

/** Slices by name, up to the limit. */
export class SliceSet {
  readonly #slices = new Map<string, Slice>();
  #entries = 0;

  /** The number of endpoints, ports and slices it holds: the cost of processing all of them. */
  get entries(): number {
    return this.#entries;
  }

  get size(): number {
    return this.#slices.size;
  }

  get(name: string): Slice | undefined {
    return this.#slices.get(name);
  }

  values(): Iterable<Slice> {
    return this.#slices.values();
  }

  /** Replaces the slice with that name. False if there is no room; then nothing has changed. */
  put(slice: Slice): boolean {
    const growth = entriesOf(slice) - entriesOf(this.#slices.get(slice.name));
    if (growth > 0 && this.#entries + growth > MAX_ENTRIES) return false;
    this.#entries += growth;
    this.#slices.set(slice.name, slice);
    return true;
  }

  delete(name: string): boolean {
    this.#entries -= entriesOf(this.#slices.get(name));
    return this.#slices.delete(name);
  }
}

function entriesOf(slice: Slice | undefined): number {
  return slice === undefined ? 0 : 1 + slice.endpoints.length + slice.ports.length;
}
