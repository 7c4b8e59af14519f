import { Deque } from '../engine/deque.js';
import type { Job } from '../servers/job.js';
import type { Server } from '../servers/server.js';
import { Omniscient } from './omniscient.js';

/**
 * The bound: one queue for all servers, first come, first served, the fastest free slot first. A server gets a call
 * only when it can start it, so that no choice is ever regretted; nothing that chooses when a call is made can know as
 * much.
 */
export class CentralQueue extends Omniscient {
  readonly #waiting = new Deque<Job>();

  override update(servers: readonly Server[]): void {
    super.update(servers);
    for (const server of servers) server.onIdle = () => this.#serve(server);
    for (const server of servers) this.#serve(server);
  }

  protected place(job: Job): void {
    let fastest: Server | undefined;
    for (const server of this.servers) {
      if (server.idle && server.failing < 1 && (!fastest || isFaster(server, fastest))) fastest = server;
    }
    if (fastest) fastest.accept(job);
    else this.#waiting.push(job);
  }

  #serve(server: Server): void {
    if (server.failing === 1 || !server.listed) return;
    for (let job = server.idle ? this.#waiting.shift() : undefined; job;) {
      server.accept(job);
      job = server.idle ? this.#waiting.shift() : undefined;
    }
  }
}

/** Of two equally fast ones, the one with less load, so that the shares are even. */
function isFaster(one: Server, other: Server): boolean {
  return one.slowness < other.slowness || (one.slowness === other.slowness && one.inFlight < other.inFlight);
}
