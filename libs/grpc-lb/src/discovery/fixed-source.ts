import type { EndpointListener, EndpointSource } from '../core/endpoint-source.js';
import type { Endpoint } from '../core/endpoint.js';

/** Fixed endpoints, reported once. */
export class FixedSource implements EndpointSource {
  #listener: EndpointListener | undefined;

  constructor(private readonly endpoints: readonly Endpoint[]) {}

  start(listener: EndpointListener): void {
    this.#listener = listener;
    queueMicrotask(() => this.#listener?.onEndpoints(this.endpoints));
  }

  refresh(): void {
    // The list never changes.
  }

  stop(): void {
    this.#listener = undefined;
  }
}
