import {
  type sendUnaryData,
  type Server,
  type ServerUnaryCall,
  type ServerWritableStream,
  type ServiceDefinition,
  status as Status,
} from '@grpc/grpc-js';
import { printable } from '../core/printable.js';

export type HealthStatus = 'SERVING' | 'NOT_SERVING';

interface HealthRequest {
  readonly service: string;
}

interface HealthResponse {
  readonly status: HealthStatus | 'SERVICE_UNKNOWN';
}

type Watch = ServerWritableStream<HealthRequest, HealthResponse>;

/** "The server may respond with a RESOURCE_EXHAUSTED error if too many services exist." As many as other servers list. */
const MAX_LISTED = 100;

/**
 * `grpc.health.v1.Health`. The implementation of `grpc-health-check` keeps each name that a client has ever watched, of
 * services that the server does not have too, so that any client could fill the memory (docs/decisions/076).
 */
export class HealthService {
  readonly #statuses = new Map<string, HealthStatus>();
  /** Those that are open, by the name of the service. */
  readonly #watches = new Map<string, Set<Watch>>();

  /** The services that are being watched. */
  get watched(): readonly string[] {
    return [...this.#watches.keys()];
  }

  /** The status of each service that the server has. */
  get statuses(): ReadonlyMap<string, HealthStatus> {
    return this.#statuses;
  }

  /** Tells watchers each status, so it is called only for changes. */
  setStatus(service: string, status: HealthStatus): void {
    this.#statuses.set(service, status);
    for (const watch of this.#watches.get(service) ?? []) watch.write({ status });
  }

  /** @param contract The definition of `grpc.health.v1.Health`. */
  addToServer(server: Server, contract: ServiceDefinition): void {
    server.addService(contract, {
      Check: (call: ServerUnaryCall<HealthRequest, HealthResponse>, answer: sendUnaryData<HealthResponse>) => {
        const { service } = call.request;
        const status = this.#statuses.get(service);
        if (status !== undefined) return answer(null, { status });
        answer({ code: Status.NOT_FOUND, details: `the server has no service "${printable(service, 100)}"` });
      },
      Watch: (call: Watch) => this.#watch(call),
      List: (_call: unknown, answer: sendUnaryData<{ readonly statuses: Record<string, HealthResponse> }>) => {
        if (this.#statuses.size > MAX_LISTED)
          return answer({ code: Status.RESOURCE_EXHAUSTED, details: `the server has over ${MAX_LISTED} services` });
        answer(null, { statuses: Object.fromEntries([...this.#statuses].map(([name, status]) => [name, { status }])) });
      },
    });
  }

  #watch(call: Watch): void {
    const { service } = call.request;
    let watches = this.#watches.get(service);
    if (!watches) this.#watches.set(service, (watches = new Set()));
    const open = watches.add(call);
    // Comes after every end.
    call.on('cancelled', () => {
      open.delete(call);
      if (open.size === 0 && this.#watches.get(service) === open) this.#watches.delete(service);
    });
    call.write({ status: this.#statuses.get(service) ?? 'SERVICE_UNKNOWN' });
  }
}
