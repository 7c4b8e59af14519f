import { Metadata, status as Status } from '@grpc/grpc-js';
import { frameOf, isCompressed, messageIn } from '../call/frame.js';
import { serviceUrl } from '../call/service-url.js';
import type { SubchannelCall, SubchannelInterface } from '../experimental.js';

/** The connection that a watch runs on. */
export interface WatchPeer {
  readonly subchannel: SubchannelInterface;
  /** The `:authority` of the client's calls. */
  readonly authority: string;
}

export interface WatchRequest {
  readonly path: string;
  readonly message: Buffer;
  /** Sent with the call; wins over call credentials. May be secret. */
  readonly metadata?: Readonly<Record<string, string>>;
}

/** How a stream ended. */
export interface WatchEnd {
  readonly code: Status;
  readonly details: string;
  /** Whether the peer ended it; otherwise the stream failed on this side, and the peer may not have seen it. */
  readonly fromPeer: boolean;
}

export interface WatchStreamListener {
  /** The next message is read after this returns. */
  received(message: Buffer): void;
  ended(end: WatchEnd): void;
}

/**
 * One server-streaming call on one connection. It starts like the calls that grpc-js sends to a picked subchannel. The
 * channel of `subchannel.getChannel()` is not suitable: it throws an uncatchable error if the connection is lost before
 * the call credentials arrive, ignores a cancellation before that, ignores `grpc.default_authority`, and stays
 * registered with channelz forever.
 */
export class WatchStream {
  #call: SubchannelCall | undefined;
  #over = false;

  /** Calls the listener asynchronously, never before the constructor returns. */
  constructor(
    private readonly peer: WatchPeer,
    private readonly request: WatchRequest,
    private readonly listener: WatchStreamListener,
  ) {
    void this.#start();
  }

  /** Cancels the call; the listener is not called any more. */
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
    // Call credentials may take a while: the watch may have been stopped in the meantime.
    if (this.#over) return;
    try {
      this.#open(metadata);
    } catch (error) {
      this.#end(failure('the connection is not ready', error));
    }
  }

  #callCredentials(): Promise<Metadata> {
    const { subchannel, authority } = this.peer;
    const { path } = this.request;
    return subchannel.getCallCredentials().generateMetadata({
      method_name: path,
      service_url: serviceUrl(authority, path),
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
    call.sendMessageWithContext({}, frameOf(this.request.message));
    call.halfClose();
    call.startRead();
  }

  #onFrame(frame: Buffer): void {
    if (this.#over) return;
    // The client offered no encoding, so the server must not compress.
    if (isCompressed(frame)) {
      this.#call?.cancelWithStatus(
        Status.INTERNAL,
        'the server compressed a message, but the client does not accept compression',
      );
      return;
    }
    this.listener.received(messageIn(frame));
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
