import { isObject, shown } from '../../core/options/validation.js';
import { nameOf, readSlice, type Slice } from './endpoint-slice.js';
import { errorFromStatus, MalformedError, versionOf } from './slice-api.js';

/** What an event has done. */
interface Applied {
  /** Where a watch goes on after it. */
  readonly version: string;
  readonly changed: boolean;
}

/** The slices of one Service as the API server has told them; one that cannot be read does not replace one that could. */
export class SliceStore {
  #slices: ReadonlyMap<string, Slice> = new Map();

  constructor(private readonly warn: (text: string) => void) {}

  get slices(): ReadonlyMap<string, Slice> {
    return this.#slices;
  }

  replace(objects: readonly unknown[]): void {
    const slices = new Map<string, Slice>();
    for (const object of objects) {
      const slice = this.#read(object);
      if (slice) slices.set(slice.name, slice);
    }
    this.#slices = slices;
  }

  /** Throws what an ERROR event holds, and at what is no event. */
  apply(event: unknown): Applied {
    const { type, object } = (isObject(event) ? event : {}) as Record<string, unknown>;
    switch (type) {
      case 'BOOKMARK':
        return { version: versionOf(object), changed: false };
      case 'ERROR':
        throw errorFromStatus(object, 500);
      case 'ADDED':
      case 'MODIFIED': {
        const slice = this.#read(object);
        if (slice) this.#slices = new Map(this.#slices).set(slice.name, slice);
        return { version: versionOf(object), changed: slice !== undefined };
      }
      case 'DELETED': {
        const name = nameOf(object);
        if (name === undefined) throw new MalformedError(`a slice without a name was deleted: ${shown(object)}`);
        const slices = new Map(this.#slices);
        const changed = slices.delete(name);
        this.#slices = slices;
        return { version: versionOf(object), changed };
      }
      default:
        throw new MalformedError(`an event of an unknown type: ${shown(event)}`);
    }
  }

  #read(object: unknown): Slice | undefined {
    const slice = readSlice(object, this.warn);
    if (typeof slice !== 'string') return slice;
    const last = this.#slices.get(nameOf(object) ?? '');
    this.warn(`${slice}; it is ${last ? 'kept as it was' : 'left out'}`);
    return last;
  }
}
