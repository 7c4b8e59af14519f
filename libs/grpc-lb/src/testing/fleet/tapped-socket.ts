import { Duplex } from 'node:stream';
import { SettingsAck } from './settings-ack.js';

/** The first byte of a record of a TLS handshake (RFC 8446, section 5.1). */
const TLS_HANDSHAKE = 22;

/**
 * A connection of a backend, between the socket and the HTTP/2 session of its server. It can be held: nothing passes in
 * either direction, while both ends keep their sockets open, as in a network that drops packets.
 */
export class TappedSocket extends Duplex {
  readonly #socket: Duplex;
  readonly #ack = new SettingsAck();
  #held = false;
  #retired = false;
  #speaksTls: boolean | undefined;
  /** Writes to the socket what the server wrote, or ended, while the connection was held. */
  #writeHeld: (() => void) | undefined;

  /** @param onSettled Called when the client has accepted the settings of the server, so that it can send calls. */
  constructor(socket: Duplex, onSettled: () => void) {
    super();
    this.#socket = socket;
    socket.once('data', ([first]: Buffer) => {
      this.#speaksTls = first === TLS_HANDSHAKE;
    });
    socket.on('data', (chunk: Buffer) => {
      if (!this.#ack.seen && this.#ack.read(chunk)) onSettled();
      if (!this.push(chunk)) socket.pause();
    });
    // Not `push(null)`: Node 20 to 26 throw where an HTTP/2 session writes after its socket, no net.Socket, began to end.
    socket.on('end', () => this.destroy());
    socket.on('error', () => this.destroy());
    socket.on('close', () => this.destroy());
    this.on('error', () => {});
  }

  /** Whether the client can send calls. */
  get settled(): boolean {
    return this.#ack.seen && !this.#retired && !this.destroyed;
  }

  /** Whether the client has begun a TLS handshake; undefined if it has sent nothing. */
  get speaksTls(): boolean | undefined {
    return this.#speaksTls;
  }

  /** Its server is about to end: it gets no new calls. */
  retire(): void {
    this.#retired = true;
  }

  hold(): void {
    this.#held = true;
    this.#socket.pause();
  }

  release(): void {
    this.#held = false;
    this.#writeHeld?.();
    this.#writeHeld = undefined;
    this.#socket.resume();
  }

  /** The end of a process that dies: no FIN of HTTP/2, no GOAWAY. */
  cut(): void {
    this.destroy();
  }

  override _read(): void {
    if (!this.#held) this.#socket.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    const write = (): void => void this.#socket.write(chunk, done);
    if (this.#held) this.#writeHeld = write;
    else write();
  }

  override _final(done: (error?: Error | null) => void): void {
    const end = (): void => void this.#socket.end(() => done());
    if (this.#held) this.#writeHeld = end;
    else end();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#socket.destroy();
    done(error);
  }
}
