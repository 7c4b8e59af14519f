import type { ReplayMemory } from './replay-memory.js';

/** Called when a message has been handed to the connection, so that the next one may follow. */
export type Sent = () => void;

/** Most calls keep none, or one. It is never changed. */
const NONE: RequestMessage[] = [];

export interface RequestMessage {
  readonly frame: Buffer;
  readonly sent: Sent | undefined;
}

/**
 * The requests of one call, kept until no other attempt can need them. Once they outgrow the memory that a call may
 * take, or that all calls of the client may take, the call is bound to the attempt that has them.
 */
export class RequestMessages {
  kept: RequestMessage[] = NONE;
  closed = false;
  #bytes = 0;

  constructor(private readonly memory: ReplayMemory) {}

  /** Keeps a message; returns whether there was room. Without room it is kept only to be sent once. */
  keep(frame: Buffer, sent: Sent | undefined): boolean {
    const room = this.memory.take(frame.length, this.#bytes);
    if (room) this.#bytes += frame.length;
    // Its writer may go on at once, because the message is kept, not sent.
    const message = { frame, sent: room ? undefined : sent };
    // An array that begins with its first element has no spare capacity; most calls have one message.
    if (this.kept.length === 0) this.kept = [message];
    else this.kept.push(message);
    if (room && sent) process.nextTick(sent);
    return room;
  }

  /** Forgets all messages, because the call has ended. Whoever has written one that was never sent goes on. */
  abandon(): void {
    for (const { sent } of this.kept) if (sent) process.nextTick(sent);
    this.release();
  }

  /** Forgets all messages, because no other attempt follows. */
  release(): void {
    this.kept = NONE;
    if (this.#bytes > 0) this.memory.release(this.#bytes);
    this.#bytes = 0;
  }
}
