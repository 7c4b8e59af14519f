import type { Random } from '../../../libs/grpc-lb/src/core/random.js';
import type { Call } from '../call.js';
import type { EventQueue, Task } from '../engine/event-queue.js';
import { randomFor } from '../engine/seeds.js';
import { Job } from './job.js';

/** A message of a stream: work without a waiting caller. */
class Message extends Job {
  answered(): void {
    // Only its delay of other work matters here.
  }
}

/** A stream: it occupies no slot, but its messages do, until it closes. */
export class StreamSession implements Task {
  readonly #random: Random;
  readonly #closesAt: number;
  readonly #stream: NonNullable<Call['method']['stream']>;

  constructor(
    private readonly queue: EventQueue,
    private readonly call: Call,
    private readonly deliver: (message: Job) => void,
    private readonly closed: () => void,
  ) {
    this.#random = randomFor(call.seed, 'stream', call.index);
    this.#closesAt = queue.now() + call.io;
    this.#stream = call.method.stream!;
    this.#next();
  }

  run(): void {
    if (this.queue.now() >= this.#closesAt) {
      this.closed();
      return;
    }
    this.deliver(new Message(this.call.method.work.draw(this.#random), 0));
    this.#next();
  }

  #next(): void {
    const next = this.queue.now() + this.#stream.every.draw(this.#random);
    this.queue.at(Math.min(next, this.#closesAt), this);
  }
}
