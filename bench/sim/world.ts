import type { Random } from '../../libs/grpc-lb/src/core/random.js';
import type { Dispatcher } from './dispatch/dispatcher.js';
import type { EventQueue } from './engine/event-queue.js';
import type { Server } from './servers/server.js';

/** What the script of a scenario can do to the servers during a run. */
export class World {
  readonly servers: Server[] = [];
  #dispatcher!: Dispatcher;

  constructor(
    private readonly queue: EventQueue,
    private readonly createServer: (index: number) => Server,
    /** Random numbers for the script: the same for every policy. */
    readonly random: Random,
    /** Milliseconds after which nothing happens. */
    readonly duration: number,
  ) {}

  /** The initial servers, in the order of their indexes. */
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

  /** Repeats an action; each gap is drawn at random. */
  readonly every = (gap: () => number, happen: () => void): void => {
    const next = this.queue.now() + gap();
    if (next >= this.duration) return;
    this.at(next, () => {
      happen();
      this.every(gap, happen);
    });
  };

  /** Adds servers. */
  readonly add = (count: number): Server[] => {
    const first = this.servers.length;
    for (let i = 0; i < count; i++) this.servers.push(this.createServer(first + i));
    this.#publish();
    return this.servers.slice(first);
  };

  /** Removes servers from discovery; they finish their calls. */
  readonly remove = (servers: readonly Server[]): void => {
    for (const server of servers) server.listed = false;
    this.#publish();
  };

  #publish(): void {
    this.#dispatcher.update(this.servers.filter(({ listed }) => listed));
  }
}
