import type { SliceObject } from './slices.js';

export type EventType = 'ADDED' | 'MODIFIED' | 'DELETED';

/** One change, as every watch sees it. */
export interface StoreEvent {
  readonly version: number;
  readonly type: EventType;
  readonly object: SliceObject;
  /** The previous state, for watches whose selector matched only that. */
  readonly before: SliceObject | undefined;
}

/** What etcd is to an API server: objects, a version that counts every change, and a history that is cut off. */
export class KubernetesStore {
  readonly #objects = new Map<string, SliceObject>();
  #history: StoreEvent[] = [];
  #version = 1000;
  /** Changes up to and including this one are no longer known. */
  #compacted = 1000;
  readonly #watchers = new Set<(event: StoreEvent) => void>();

  get version(): number {
    return this.#version;
  }

  get compacted(): number {
    return this.#compacted;
  }

  get objects(): SliceObject[] {
    return [...this.#objects.values()].toSorted((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
  }

  /** Adds it, or puts it in the place of the one of that name. */
  apply(object: SliceObject): SliceObject {
    const key = keyOf(object);
    const before = this.#objects.get(key);
    const version = ++this.#version;
    const stored: SliceObject = {
      ...object,
      metadata: {
        uid: `slice-${version}`,
        creationTimestamp: new Date(Date.UTC(2026, 0, 1)).toISOString().replace('.000', ''),
        ...before?.metadata,
        ...object.metadata,
        resourceVersion: String(version),
      },
    };
    this.#objects.set(key, stored);
    this.#tell({ version, type: before ? 'MODIFIED' : 'ADDED', object: stored, before });
    return stored;
  }

  delete(name: string, namespace = 'shop'): SliceObject | undefined {
    const key = `${namespace}/${name}`;
    const before = this.#objects.get(key);
    if (!before) return undefined;
    this.#objects.delete(key);
    const version = ++this.#version;
    const object = { ...before, metadata: { ...before.metadata, resourceVersion: String(version) } };
    this.#tell({ version, type: 'DELETED', object, before });
    return object;
  }

  /** A change of something else: all the cluster counts in one row. */
  tick(): void {
    this.#version++;
  }

  /** Compacts the history. */
  compact(): void {
    this.#compacted = this.#version;
    this.#history = [];
  }

  since(version: number): readonly StoreEvent[] {
    return this.#history.filter((event) => event.version > version);
  }

  watch(onEvent: (event: StoreEvent) => void): () => void {
    this.#watchers.add(onEvent);
    return () => this.#watchers.delete(onEvent);
  }

  #tell(event: StoreEvent): void {
    this.#history.push(event);
    for (const watcher of this.#watchers) watcher(event);
  }
}

function keyOf({ metadata }: SliceObject): string {
  return `${metadata.namespace}/${metadata.name}`;
}
