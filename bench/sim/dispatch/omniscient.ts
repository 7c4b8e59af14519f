import type { Call } from '../call.js';
import type { EventQueue, Task } from '../engine/event-queue.js';
import { Job } from '../servers/job.js';
import type { Places } from '../places.js';
import type { Server } from '../servers/server.js';
import { StreamSession } from '../servers/stream.js';
import type { CallListener, Dispatcher } from './dispatcher.js';

/** A call without a client: it takes the same wire, but the decision is made where it arrives. */
class Errand extends Job {
  constructor(
    readonly call: Call,
    private readonly onAnswer: (failed: boolean) => void,
  ) {
    super(call.work, call.io, call.luck);
  }

  answered(failed: boolean): void {
    this.onAnswer(failed);
  }
}

/** A dispatcher that knows the true state of all servers, and decides at the servers' end of the wire. */
export abstract class Omniscient implements Dispatcher {
  protected servers: readonly Server[] = [];

  constructor(
    private readonly queue: EventQueue,
    private readonly delay: number,
    protected readonly places: Places,
    private readonly listener: CallListener,
  ) {}

  /** Work has arrived; assigns it to a server, now or later. */
  protected abstract place(job: Job): void;

  update(servers: readonly Server[]): void {
    this.servers = servers;
  }

  dispatch(call: Call): void {
    call.attempts++;
    this.#later(this.delay, () => this.#arrive(call));
  }

  #arrive(call: Call): void {
    if (!call.info.stream) {
      const errand: Errand = new Errand(call, (failed) => this.#back(call, failed, errand.server as Server));
      this.place(errand);
      return;
    }
    // No single server has the whole stream.
    const first = this.servers[0]!;
    new StreamSession(
      this.queue,
      call,
      (message) => this.place(message),
      () => this.#back(call, false, first),
    );
  }

  #back(call: Call, failed: boolean, server: Server): void {
    // The way there beyond the usual delay counts here: the decision is made before it is known.
    const way = this.delay + 2 * distanceTo(server, call, this.places);
    this.#later(way, () => this.listener.callEnded(call, failed, server));
  }

  #later(milliseconds: number, run: () => void): void {
    const task: Task = { run };
    this.queue.at(this.queue.now() + milliseconds, task);
  }
}

/** Milliseconds each way between the client of the call and a server, beyond the usual delay. */
export function distanceTo(server: Server, { who }: Call, { clientZone, serverZone, distance }: Places): number {
  return distance(clientZone(who), serverZone(server.index));
}
