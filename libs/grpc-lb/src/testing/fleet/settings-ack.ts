/** The first bytes of a client: `PRI * HTTP/2.0`, and so on (RFC 9113, section 3.4). */
const PREFACE_BYTES = 24;
/** Length, type, flags and stream of a frame (RFC 9113, section 4.1). */
const HEADER_BYTES = 9;
const SETTINGS = 4;
const ACK = 1;

/**
 * Finds the frame in which a client accepts the settings of the server. grpc-js reports a connection as ready when it
 * has received them, which is before it accepts them.
 */
export class SettingsAck {
  /** Whether it has come. */
  seen = false;
  #skip = PREFACE_BYTES;
  readonly #header = Buffer.alloc(HEADER_BYTES);
  #filled = 0;

  /** Reads what the client sends, in any pieces; returns whether the frame has come. */
  read(chunk: Buffer): boolean {
    for (let at = 0; at < chunk.length && !this.seen;) {
      if (this.#skip > 0) {
        const skipped = Math.min(this.#skip, chunk.length - at);
        this.#skip -= skipped;
        at += skipped;
        continue;
      }
      const taken = chunk.copy(this.#header, this.#filled, at, at + HEADER_BYTES - this.#filled);
      this.#filled += taken;
      at += taken;
      if (this.#filled === HEADER_BYTES) this.#readHeader();
    }
    return this.seen;
  }

  #readHeader(): void {
    this.#filled = 0;
    this.#skip = this.#header.readUIntBE(0, 3);
    this.seen = this.#header[3] === SETTINGS && (this.#header[4]! & ACK) !== 0;
  }
}
