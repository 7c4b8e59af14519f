import type { EndpointListener, EndpointSource } from '../../core/endpoint-source.js';
import type { Endpoint } from '../../core/endpoint.js';
import { registerEndpointSource } from '../../discovery/index.js';

const SCHEME = 'fleet';

/** The lists of the fleets of this process that are not closed, by the path of their targets. */
const lists = new Map<string, FleetList>();
let lastPath = 0;

/** The endpoints that a fleet tells its clients. */
export class FleetList {
  /** As in `fleet:///7`. */
  readonly target: string;
  readonly #path = String(++lastPath);
  readonly #listeners = new Set<EndpointListener>();
  #endpoints: readonly Endpoint[] = [];

  constructor() {
    registerEndpointSource(SCHEME, sourceOf);
    this.target = `${SCHEME}:///${this.#path}`;
    lists.set(this.#path, this);
  }

  tell(endpoints: readonly Endpoint[]): void {
    this.#endpoints = endpoints;
    for (const listener of this.#listeners) this.#tell(listener);
  }

  close(): void {
    lists.delete(this.#path);
  }

  /** A client starts to listen. */
  add(listener: EndpointListener): void {
    this.#listeners.add(listener);
    // Not before `start` has returned.
    queueMicrotask(() => {
      if (this.#listeners.has(listener)) this.#tell(listener);
    });
  }

  remove(listener: EndpointListener): void {
    this.#listeners.delete(listener);
  }

  #tell(listener: EndpointListener): void {
    // A fleet without backends is meant to be so.
    listener.onEndpoints(this.#endpoints, { authoritative: true });
  }
}

/** One function for all fleets: a scheme may be registered again only with the same one. */
function sourceOf({ path }: { readonly path: string }): EndpointSource {
  const list = lists.get(path);
  if (!list) throw new Error(`"${path}" is not a fleet of this process, or it is closed; use fleet.target`);
  let started: EndpointListener | undefined;
  return {
    start: (listener) => {
      started = listener;
      list.add(listener);
    },
    refresh: () => {},
    stop: () => {
      if (started) list.remove(started);
    },
  };
}
