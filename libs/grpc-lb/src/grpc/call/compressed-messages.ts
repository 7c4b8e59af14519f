import { isCompressed, messageIn } from './frame.js';
import { decompressed, type MessageFault } from './message-codec.js';

/** How many bytes may wait here. What follows waits in grpc-js and at the server, as flow control sees to. */
const MAX_WAITING = 65_536;
/** What a frame takes beside its bytes. */
const FRAME_COST = 64;

/** The attempt that receives them. */
export interface CompressedMessagesOwner {
  /** Asks for the next frame. */
  readFrame(): void;
  /** @param wireLength The length of its frame in bytes, before decompression. */
  decompressed(message: Buffer, wireLength: number): void;
  /** A message cannot be decompressed; nothing follows. */
  undecodable(fault: MessageFault): void;
  /** All that has come has been passed on. */
  emptied(): void;
}

/**
 * The messages of one attempt from the first compressed one on. They are decompressed one after the other, as the caller
 * asks for them. Those behind are read meanwhile: grpc-js drops what waits in it when the server ends the stream with an
 * error, and while a message is decompressed all others would wait there.
 */
export class CompressedMessages {
  readonly #frames: Buffer[] = [];
  #waiting = 0;
  /** Whether the caller has asked for a message that it has not got yet. */
  #wanted = true;
  /** Whether grpc-js has been asked for a frame that has not come yet. */
  #reading = false;
  /** Whether a message is being decompressed or passed on. */
  #busy = false;

  /** @param maxLength The maximum length of a message; -1 for no limit. */
  constructor(
    private readonly owner: CompressedMessagesOwner,
    private readonly encoding: string,
    private readonly maxLength: number,
  ) {}

  /** Whether all that has come has been passed on. */
  get empty(): boolean {
    return !this.#busy && this.#frames.length === 0;
  }

  add(frame: Buffer): void {
    this.#reading = false;
    this.#frames.push(frame);
    this.#waiting += frame.length + FRAME_COST;
    this.#goOn();
  }

  /** The caller asks for a message. */
  want(): void {
    this.#wanted = true;
    this.#goOn();
  }

  #goOn(): void {
    this.#passOn();
    if (this.empty) this.owner.emptied();
    if (this.#reading || this.#waiting >= MAX_WAITING) return;
    this.#reading = true;
    this.owner.readFrame();
  }

  #passOn(): void {
    while (this.#wanted && !this.#busy) {
      const frame = this.#frames.shift();
      if (!frame) return;
      this.#waiting -= frame.length + FRAME_COST;
      this.#wanted = false;
      this.#busy = true;
      if (isCompressed(frame)) return this.#decompress(frame);
      this.#pass(messageIn(frame), frame.length);
    }
  }

  #decompress(frame: Buffer): void {
    decompressed(frame, this.encoding, this.maxLength).then(
      (message) => {
        this.#pass(message, frame.length);
        this.#goOn();
      },
      (fault: unknown) => this.owner.undecodable(fault as MessageFault),
    );
  }

  #pass(message: Buffer, wireLength: number): void {
    this.owner.decompressed(message, wireLength);
    this.#busy = false;
  }
}
