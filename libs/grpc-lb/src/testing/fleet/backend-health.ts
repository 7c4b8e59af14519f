import type { sendUnaryData, Server, ServerUnaryCall, ServerWritableStream } from '@grpc/grpc-js';
import { type ServingStatus } from '../../grpc/endpoint/health-messages.js';
import { statusError } from '../status-error.js';
import { healthDefinition, type HealthRequest } from './health-definition.js';

type Watch = ServerWritableStream<HealthRequest, ServingStatus>;

/** What a backend says of its services in `grpc.health.v1`; of the service `''`, of itself as a whole. */
export class BackendHealth {
  readonly #statuses = new Map<string, ServingStatus>();
  readonly #watches = new Set<Watch>();

  /** @param services The full names of the services. */
  constructor(private readonly services: readonly string[]) {
    this.reset();
  }

  /** The status of a service; undefined if the backend does not know it. */
  of(service: string): ServingStatus | undefined {
    return this.#statuses.get(service);
  }

  /** @param service Undefined for all. */
  set(status: ServingStatus, service: string | undefined): void {
    const services = service === undefined ? [...this.#statuses.keys()] : [service];
    for (const each of services) this.#statuses.set(each, status);
    this.#tell();
  }

  /** As at the start: all services are SERVING. */
  reset(): void {
    this.#statuses.clear();
    for (const service of ['', ...this.services]) this.#statuses.set(service, 'SERVING');
    this.#tell();
  }

  /** Adds the health service to a server. Returns what ends the watches of its clients, which keep it from ending. */
  addTo(server: Server): () => void {
    const watches = new Set<Watch>();
    const implementation = {
      Check: (
        { request: { service } }: ServerUnaryCall<HealthRequest, ServingStatus>,
        done: sendUnaryData<ServingStatus>,
      ): void => {
        const status = this.of(service) ?? 'SERVICE_UNKNOWN';
        // "If the service name is not registered, the server returns a NOT_FOUND GRPC status."
        if (status === 'SERVICE_UNKNOWN') done(statusError('NOT_FOUND', `the service "${service}" is unknown`));
        else done(null, status);
      },
      Watch: (call: Watch): void => {
        const over = (): void => {
          watches.delete(call);
          this.#watches.delete(call);
        };
        // A stream that is canceled emits an error, too.
        for (const end of ['error', 'cancelled', 'close']) call.on(end, over);
        watches.add(call);
        this.#watches.add(call);
        this.#write(call);
      },
    };
    server.addService(healthDefinition, implementation);
    return () => {
      for (const call of watches) call.emit('error', statusError('UNAVAILABLE', 'the backend ends'));
    };
  }

  #tell(): void {
    for (const call of this.#watches) this.#write(call);
  }

  #write(call: Watch): void {
    call.write(this.of(call.request.service) ?? 'SERVICE_UNKNOWN');
  }
}
