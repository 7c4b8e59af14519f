import type { EndpointListener, EndpointSource } from '../core/endpoint-source.js';
import type { Endpoint } from '../core/endpoint.js';

/** Endpoints that are known from the start: told once, and never asked for again. */
export class FixedSource implements EndpointSource {
  #listener: EndpointListener | undefined;

  constructor(private readonly endpoints: readonly Endpoint[]) {}

  start(listener: EndpointListener): void {
    this.#listener = listener;
    queueMicrotask(() => this.#listener?.onEndpoints(this.endpoints));
  }

  refresh(): void {
    // There is nobody to ask.
  }

  stop(): void {
    this.#listener = undefined;
  }
}
