import { status as Status } from '@grpc/grpc-js';
import type { CallStream } from '../experimental.js';
import { frameOf } from './frame.js';
import { accepts, compressedFrameOf, type Encoding } from './message-codec.js';
import type { ReplayMemory } from './replay-memory.js';
import { RequestMessages, type Sent } from './request-messages.js';
import type { WireAttempt } from './wire-attempt.js';

type MessageContext = Parameters<CallStream['sendMessageWithContext']>[0];

/** grpc-js's flag of a message that must not be compressed. */
const NO_COMPRESS = 2;

/** The call whose requests are written. */
export interface RequestOwner {
  readonly ended: boolean;
  /** Whether another attempt may follow, so that requests are kept for it. */
  readonly repeatable: boolean;
  readonly running: readonly WireAttempt[];
  /** The requests are not kept any more: no other attempt may follow. */
  seal(): void;
  messageSent(frame: Buffer): void;
  /** Ends the call for a reason of this side. */
  cancelLocally(code: Status, details: string): void;
}

/** Writes the requests of one call to its attempts, and keeps them for those that may follow. */
export class RequestWriter extends RequestMessages {
  /** Messages that are being compressed, in their order. */
  #compressing: Promise<void> | undefined;

  constructor(
    private readonly owner: RequestOwner,
    memory: ReplayMemory,
    public encoding: Encoding,
    private readonly maxLength: number,
  ) {
    super(memory);
  }

  write({ callback, flags = 0 }: MessageContext, message: Buffer): void {
    if (this.owner.ended) return afterThisTurn(callback);
    if (this.maxLength !== -1 && message.length > this.maxLength) {
      const details = `Attempted to send message with a size larger than ${this.maxLength}`;
      this.owner.cancelLocally(Status.RESOURCE_EXHAUSTED, details);
      return afterThisTurn(callback);
    }
    const { encoding } = this;
    const plain = encoding === 'identity' || (flags & NO_COMPRESS) !== 0;
    if (plain && this.#compressing === undefined) return this.#send(frameOf(message), callback);
    const framed = plain ? Promise.resolve(frameOf(message)) : compressedFrameOf(message, encoding);
    // It may fail while those before it are being compressed.
    framed.catch(() => {});
    this.#afterCompression(async () => this.#send(await framed, callback), callback);
  }

  close(): void {
    if (this.#compressing === undefined) this.#close();
    else this.#afterCompression(() => this.#close());
  }

  /** Sends what has been written so far to a new attempt. */
  replay(attempt: WireAttempt): void {
    for (const { frame, sent } of this.kept) attempt.send(frame, sent);
    if (this.closed) attempt.halfClose();
  }

  /** Called with the encodings that the server accepts: the next messages are sent as it understands them. */
  adapt(acceptEncoding: string): void {
    if (this.encoding !== 'identity' && !accepts(acceptEncoding, this.encoding)) this.encoding = 'identity';
  }

  #send(frame: Buffer, sent: Sent | undefined): void {
    const { owner } = this;
    if (owner.ended) return afterThisTurn(sent);
    owner.messageSent(frame);
    const { running } = owner;
    if (!owner.repeatable && running.length > 0) return running[0]!.send(frame, sent);
    const kept = this.keep(frame, sent);
    if (!kept) owner.seal();
    for (const attempt of running) attempt.send(frame, kept ? undefined : sent);
  }

  #close(): void {
    if (this.owner.ended) return;
    this.closed = true;
    for (const attempt of this.owner.running) attempt.halfClose();
  }

  /** @param sent The callback of the message, if it is one: its writer goes on, even if it cannot be compressed. */
  #afterCompression(next: () => void | Promise<void>, sent?: Sent): void {
    const done = (this.#compressing ?? Promise.resolve()).then(next).catch((error: unknown) => {
      this.owner.cancelLocally(Status.INTERNAL, `Failed to compress a message: ${(error as Error).message}`);
      afterThisTurn(sent);
    });
    this.#compressing = done;
    void done.then(() => {
      if (this.#compressing === done) this.#compressing = undefined;
    });
  }
}

/** A writer that waits for its message goes on, even if the call has ended. */
function afterThisTurn(sent: Sent | undefined): void {
  if (sent) process.nextTick(sent);
}
