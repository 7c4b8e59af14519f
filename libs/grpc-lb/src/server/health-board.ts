import { HealthService, type HealthStatus } from './health-service.js';

/**
 * The status of each service in `grpc.health.v1`. A service is SERVING while the server is open and not draining,
 * `setServing` has not taken it out, and its checks pass. The same applies to the whole server, whose name is ''.
 */
export class HealthBoard {
  /** Answers Check, Watch and List. It forwards every status to watchers, so it gets only changes. */
  readonly service = new HealthService();
  readonly #takenOut = new Set<string>();
  readonly #failing = new Set<string>();
  #open = false;

  constructor() {
    this.add(['']);
  }

  /** Adds services; they are NOT_SERVING until the server is open. */
  add(services: Iterable<string>): void {
    for (const service of services)
      if (!this.service.statuses.has(service)) this.service.setStatus(service, 'NOT_SERVING');
    this.#publish();
  }

  /** Sets whether the server accepts calls. */
  open(open: boolean): void {
    this.#open = open;
    this.#publish();
  }

  /** Set manually. */
  setServing(service: string, serving: boolean): void {
    if (serving) this.#takenOut.delete(service);
    else this.#takenOut.add(service);
    this.#publish();
  }

  /** The services that are set to not serving. */
  get takenOut(): Iterable<string> {
    return this.#takenOut;
  }

  /** Set by its checks. */
  setHealthy(service: string, healthy: boolean): void {
    if (healthy) this.#failing.delete(service);
    else this.#failing.add(service);
    this.#publish();
  }

  statuses(): Record<string, HealthStatus> {
    return Object.fromEntries(this.service.statuses);
  }

  #publish(): void {
    for (const [service, told] of this.service.statuses) {
      const status = this.#open && this.#healthy('') && this.#healthy(service) ? 'SERVING' : 'NOT_SERVING';
      if (status !== told) this.service.setStatus(service, status);
    }
  }

  #healthy(service: string): boolean {
    return !this.#takenOut.has(service) && !this.#failing.has(service);
  }
}
