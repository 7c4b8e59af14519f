import type { EndpointListener, EndpointSource } from '../../core/endpoint-source.js';
import type { AdsClient } from './ads-client.js';

/** The endpoints of one name of a control plane, as it pushes them. */
export class EdsSource implements EndpointSource {
  #listener: EndpointListener | undefined;
  #unwatch: () => void = () => {};

  constructor(
    private readonly client: () => AdsClient,
    private readonly name: string,
  ) {}

  start(listener: EndpointListener): void {
    this.#listener = listener;
    this.#unwatch = this.client().watch(this.name, {
      onAssignment: ({ endpoints, warnings }) => {
        // An empty assignment from a control plane is authoritative.
        this.#listener?.onEndpoints(endpoints, { authoritative: true });
        for (const warning of warnings) this.#listener?.onWarning(warning);
      },
      onError: (error) => this.#listener?.onError(error),
    });
  }

  refresh(): void {
    // The control plane pushes each change.
  }

  stop(): void {
    this.#listener = undefined;
    this.#unwatch();
  }
}
