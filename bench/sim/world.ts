import type { Random } from '../../libs/grpc-lb/src/core/random.js';
import type { Dispatcher } from './dispatch/dispatcher.js';
import type { EventQueue } from './engine/event-queue.js';
import type { Server } from './servers/server.js';

/** What the script of a scenario can do to the servers while calls come and go. */
export class World {
  readonly servers: Server[] = [];
  #dispatcher!: Dispatcher;

  constructor(
    private readonly queue: EventQueue,
    private readonly createServer: (index: number) => Server,
    /** For what the script draws: the same for every policy. */
    readonly random: Random,
    /** Milliseconds after which nothing happens any more. */
    readonly duration: number,
  ) {}

  /** Servers of the start, in the order of their indexes. */
  found(count: number): void {
    for (let i = 0; i < count; i++) this.servers.push(this.createServer(i));
  }

  open(dispatcher: Dispatcher): void {
    this.#dispatcher = dispatcher;
    this.#publish();
  }

  readonly at = (time: number, happen: () => void): void => {
    this.queue.at(time, { run: happen });
  };

  /** Again and again, with the gap that is drawn each time. */
  readonly every = (gap: () => number, happen: () => void): void => {
    const next = this.queue.now() + gap();
    if (next >= this.duration) return;
    this.at(next, () => {
      happen();
      this.every(gap, happen);
    });
  };

  /** New servers join. */
  readonly add = (count: number): Server[] => {
    const first = this.servers.length;
    for (let i = 0; i < count; i++) this.servers.push(this.createServer(first + i));
    this.#publish();
    return this.servers.slice(first);
  };

  /** These leave discovery; what they have begun they finish. */
  readonly remove = (servers: readonly Server[]): void => {
    for (const server of servers) server.listed = false;
    this.#publish();
  };

  #publish(): void {
    this.#dispatcher.update(this.servers.filter(({ listed }) => listed));
  }
}
