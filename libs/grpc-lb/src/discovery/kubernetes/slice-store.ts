import { isObject, shown } from '../../core/options/validation.js';
import { nameOf, readSlice, type Slice } from './endpoint-slice.js';
import { errorFromStatus, MalformedError, versionOf } from './slice-api.js';
import { MAX_ENTRIES, SliceSet } from './slice-set.js';

/** The effect of an event. */
interface Applied {
  /** The version from which a watch continues after it. */
  readonly version: string;
  readonly changed: boolean;
}

/** A list that is being read, and not in use yet. */
export interface SliceReader {
  add(object: unknown): void;
  /** Replaces the slices in use by those that were read. */
  use(): void;
}

/** The slices of one Service as the API server reported them. An unreadable slice does not replace a readable one. */
export class SliceStore {
  #slices = new SliceSet();

  constructor(private readonly warn: (text: string) => void) {}

  get slices(): Pick<SliceSet, 'size' | 'entries' | 'values'> {
    return this.#slices;
  }

  /** Objects are read as they arrive, so that the memory for a list is small and bounded. */
  reader(): SliceReader {
    const slices = new SliceSet();
    return {
      add: (object) => {
        const slice = this.#read(object);
        if (slice) this.#put(slice, slices);
      },
      use: () => {
        this.#slices = slices;
      },
    };
  }

  /** Throws the error of an ERROR event, and an error if the object is not an event. */
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
        const changed = slice !== undefined && this.#put(slice, this.#slices);
        return { version: versionOf(object), changed };
      }
      case 'DELETED': {
        const name = nameOf(object);
        if (name === undefined) throw new MalformedError(`a deletion of a slice without a name: ${shown(object)}`);
        return { version: versionOf(object), changed: this.#slices.delete(name) };
      }
      default:
        throw new MalformedError(`an event of an unknown type: ${shown(event)}`);
    }
  }

  #put(slice: Slice, into: SliceSet): boolean {
    if (into.put(slice)) return true;
    this.warn(
      `the EndpointSlices hold more than ${MAX_ENTRIES} endpoints, ports and slices; the rest is ignored; ` +
        'split the Service, or find out what writes so many',
    );
    return false;
  }

  #read(object: unknown): Slice | undefined {
    const slice = readSlice(object, this.warn);
    if (typeof slice !== 'string') return slice;
    const last = this.#slices.get(nameOf(object) ?? '');
    this.warn(`${slice}; it is ${last ? 'kept unchanged' : 'ignored'}`);
    return last;
  }
}
