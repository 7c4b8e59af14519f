import { Metadata, status as Status } from '@grpc/grpc-js';
import { splitHostPort, type SubchannelInterface } from '../experimental.js';

/** The connection that a watch runs on. */
export interface WatchPeer {
  readonly subchannel: SubchannelInterface;
  /** The `:authority` of the client's calls. */
  readonly authority: string;
}

export interface WatchRequest {
  readonly path: string;
  readonly message: Buffer;
  /** Goes with the call, and wins over what the call credentials say. May be secret. */
  readonly metadata?: Readonly<Record<string, string>>;
}

/** How a stream ended. */
export interface WatchEnd {
  readonly code: Status;
  readonly details: string;
  /** The peer said so; otherwise the stream failed on this side, and the peer may not have seen it. */
  readonly fromPeer: boolean;
}

export interface WatchStreamListener {
  /** The next message is read when this returns. */
  received(message: Buffer): void;
  ended(end: WatchEnd): void;
}

type SubchannelCall = ReturnType<ReturnType<SubchannelInterface['getRealSubchannel']>['createCall']>;

/** A message frame of gRPC begins with a byte of flags and four bytes of length. */
const FRAME_HEADER = 5;

/**
 * One server-streaming call on one connection. It starts as grpc-js starts the calls that a picker sends to a
 * subchannel. The channel of `subchannel.getChannel()` does not suit: it throws where nobody can catch when the
 * connection goes before the call credentials come, forgets a cancellation that comes before them, ignores
 * `grpc.default_authority`, and stays registered with channelz for ever.
 */
export class WatchStream {
  #call: SubchannelCall | undefined;
  #over = false;

  /** Calls the listener later, never before the constructor returns. */
  constructor(
    private readonly peer: WatchPeer,
    private readonly request: WatchRequest,
    private readonly listener: WatchStreamListener,
  ) {
    void this.#start();
  }

  /** The listener hears nothing more. */
  cancel(): void {
    this.#over = true;
    this.#call?.cancelWithStatus(Status.CANCELLED, 'the watch was stopped');
  }

  async #start(): Promise<void> {
    const metadata = new Metadata();
    try {
      metadata.merge(await this.#callCredentials());
    } catch (error) {
      return this.#end(failure('the call credentials of the client failed', error));
    }
    for (const [key, value] of Object.entries(this.request.metadata ?? {})) metadata.set(key, value);
    // Credentials may take a while: the watch may have been stopped meanwhile.
    if (this.#over) return;
    try {
      this.#open(metadata);
    } catch (error) {
      this.#end(failure('the connection is not ready', error));
    }
  }

  #callCredentials(): Promise<Metadata> {
    const { subchannel, authority } = this.peer;
    const host = splitHostPort(authority)?.host ?? 'localhost';
    const { path } = this.request;
    return subchannel.getCallCredentials().generateMetadata({
      method_name: path,
      service_url: `https://${host}/${path.split('/')[1]}`,
    });
  }

  #open(metadata: Metadata): void {
    const { subchannel, authority } = this.peer;
    const call = subchannel.getRealSubchannel().createCall(metadata, authority, this.request.path, {
      onReceiveMetadata: () => {},
      onReceiveMessage: (frame: Buffer) => this.#onFrame(frame),
      onReceiveStatus: ({ code, details }) => this.#end({ code, details, fromPeer: true }),
    });
    this.#call = call;
    call.sendMessageWithContext({}, framed(this.request.message));
    call.halfClose();
    call.startRead();
  }

  #onFrame(frame: Buffer): void {
    if (this.#over) return;
    // No encoding was offered, so none may be used.
    if (frame[0] !== 0) {
      this.#call?.cancelWithStatus(
        Status.INTERNAL,
        'the server compressed a message, but the client does not accept compression',
      );
      return;
    }
    this.listener.received(frame.subarray(FRAME_HEADER));
    if (!this.#over) this.#call?.startRead();
  }

  #end(end: WatchEnd): void {
    if (this.#over) return;
    this.#over = true;
    this.listener.ended(end);
  }
}

function failure(what: string, error: unknown): WatchEnd {
  const details = error instanceof Error ? error.message : String(error);
  return { code: Status.UNAVAILABLE, details: `${what}: ${details}`, fromPeer: false };
}

function framed(message: Buffer): Buffer {
  const header = Buffer.alloc(FRAME_HEADER);
  header.writeUInt32BE(message.length, 1);
  return Buffer.concat([header, message]);
}
