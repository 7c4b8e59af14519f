import { constants, type OutgoingHttpHeaders } from 'node:http2';
import { Metadata, status as Status, type StatusObject } from '@grpc/grpc-js';
import { Attempt, type EndedBy } from '../../core/balancing/calls/attempt.js';
import type { Attempts } from '../../core/balancing/calls/attempts.js';
import type { ResultKind } from '../../core/balancing/health/recent-results.js';
import type { Member } from '../../core/balancing/members/member.js';
import type { AttemptEnd, AttemptProgress } from '../../core/call/attempt-end.js';
import type { LoadReport } from '../../core/policy/load-report.js';
import type { CallInfo, Policy } from '../../core/policy/policy.js';
import type { ClientContext } from '../context/client-context.js';
import type { Connection } from '../endpoint/connection.js';
import { reportIn } from '../endpoint/orca-report.js';
import type { SubchannelCall } from '../experimental.js';
import { assertNotMisunderstood, assertStream } from '../capabilities.js';
import { CompressedMessages, type CompressedMessagesOwner } from './compressed-messages.js';
import { degradedIn } from './degraded-trailer.js';
import { isCompressed, messageIn } from './frame.js';
import { encodingIn, type MessageFault } from './message-codec.js';
import type { Sent } from './request-messages.js';
import type { Statuses } from './statuses.js';
import { StreamListener, type StreamOwner } from './stream-listener.js';
import { asksToBeginAgain } from './stream-signals.js';
import {
  cancelledByLoss,
  isLoss,
  isReceiveLimit,
  isShed,
  isUnsent,
  retryPushback,
  type StreamStatus,
  resetByLoss,
  withLostConnection,
  withPeer,
} from './wire-status.js';

/** What an attempt needs from its client. */
export interface AttemptEnvironment {
  readonly context: ClientContext;
  readonly statuses: Statuses;
  readonly limits: { readonly maxReceive: number };
}

/** The call of an attempt. */
export interface AttemptOwner extends CallInfo {
  readonly environment: AttemptEnvironment;
  headersReceived(attempt: WireAttempt, metadata: Metadata): void;
  /** @param wireLength The length of its frame in bytes, before decompression. */
  messageReceived(attempt: WireAttempt, message: Buffer, wireLength: number): void;
  attemptEnded(attempt: WireAttempt, end: AttemptEnd): void;
  /** Milliseconds until its deadline; Infinity if it has none. */
  readonly timeLeft: number;
  /** Its criticality as an index; undefined if it states none. */
  readonly rank: number | undefined;
  /** Ends the call, because its deadline has passed. */
  exceedDeadline(): void;
  /** Ends the call for a reason of this side. */
  cancelLocally(code: Status, details: string): void;
}

/** One attempt of a call: one HTTP/2 stream on one connection. It is also the entry of the call in the ledger. */
export class WireAttempt extends Attempt<Connection> implements StreamOwner, CompressedMessagesOwner {
  /** How it ended; undefined while it runs. */
  status: StatusObject | undefined;
  /** Whether this side ended it. */
  local = false;
  /** Counts the attempts of the call, from 1. */
  number = 1;
  /** The response headers, as long as they name the encoding of its messages. */
  headers: Metadata | undefined;
  /** The encoding of its messages, once the headers do not name it any more. */
  encoding: string | undefined;
  #stream: SubchannelCall | undefined;
  #listener: StreamListener | undefined;
  /** Whether the peer has sent headers or a message. */
  #answered = false;
  /** Until the report in them has been read. */
  #trailers: Metadata | undefined;
  #report: LoadReport | undefined;
  /** Undefined before the first compressed message, and after the end. */
  #compressed: CompressedMessages | undefined;
  /** A status that waits for the last message to be decompressed. */
  #heldStatus: StreamStatus | undefined;

  constructor(
    attempts: Attempts<Connection>,
    member: Member<Connection>,
    connection: Connection,
    protected readonly call: AttemptOwner,
    policy: Policy,
  ) {
    super(attempts, member, connection, policy);
  }

  /** It is read once: passive health and the policy may both ask for it. */
  get report(): LoadReport | undefined {
    const trailers = this.#trailers;
    if (trailers) {
      this.#trailers = undefined;
      const report = reportIn(trailers);
      if (report === null) this.call.environment.context.loadReportRejected(this.endpoint.key);
      else this.#report = report;
    }
    return this.#report;
  }

  get peer(): string | undefined {
    return this.#stream?.getPeer();
  }

  get authContext() {
    return this.#stream?.getAuthContext() ?? null;
  }

  /**
   * Opens the stream; returns whether it could: the connection may be about to close.
   *
   * @throws GrpcLbPeerError if grpc-js is not as expected.
   */
  open(headers: OutgoingHttpHeaders, authority: string, path: string): boolean {
    if (!this.connection.takesStream()) {
      this.lapse();
      return false;
    }
    const listener = new StreamListener(this, headers);
    let stream: SubchannelCall | undefined;
    try {
      stream = this.connection.subchannel
        .getRealSubchannel()
        .createCall(listener as Pick<Metadata, 'toHttp2Headers'> as Metadata, authority, path, listener);
    } catch (error) {
      this.lapse();
      assertNotMisunderstood(error, listener);
      return false;
    }
    this.#listener = listener;
    try {
      assertStream(stream, listener);
    } catch (error) {
      const { message } = error as Error;
      this.#ended({ code: Status.INTERNAL, details: message, metadata: new Metadata() });
      stream.cancelWithStatus?.(Status.CANCELLED, message);
      this.lapse();
      throw error;
    }
    this.#stream = stream;
    this.begin();
    return true;
  }

  send(frame: Buffer, sent: Sent | undefined): void {
    this.#stream!.sendMessageWithContext(sent ? { callback: sent } : NO_CONTEXT, frame);
  }

  halfClose(): void {
    this.#stream!.halfClose();
  }

  startRead(): void {
    if (this.#compressed) this.#compressed.want();
    else this.readFrame();
  }

  /** Ends it for a reason of this side: exactly one stream is reset. */
  abort(code: Status, details: string, by: EndedBy): void {
    if (this.status) return;
    this.#reset(code, details);
    // What this side causes says nothing about the endpoint.
    this.finish(by === 'caller' ? 'refused' : this.#kindOf(code), by);
  }

  /** Ends it because another attempt of the call was faster. */
  overtake(): void {
    if (this.status) return;
    this.#reset(Status.CANCELLED, 'Discarded in favor of another attempt');
    this.supersede();
  }

  onReceiveMetadata(metadata: Metadata): void {
    if (this.status) return;
    this.#answered = true;
    this.call.headersReceived(this, metadata);
  }

  onReceiveMessage(frame: Buffer): void {
    if (this.status) return;
    this.#answered = true;
    if (!this.#compressed && !isCompressed(frame))
      return this.call.messageReceived(this, messageIn(frame), frame.length);
    this.#compressed ??= this.#decompressing();
    this.#compressed.add(frame);
  }

  #decompressing(): CompressedMessages {
    const { maxReceive } = this.call.environment.limits;
    return new CompressedMessages(this, this.encoding ?? encodingIn(this.headers), maxReceive);
  }

  readFrame(): void {
    this.#stream!.startRead();
  }

  decompressed(message: Buffer, wireLength: number): void {
    if (!this.status) this.call.messageReceived(this, message, wireLength);
  }

  undecodable({ code, details }: MessageFault): void {
    this.call.cancelLocally(code, details);
  }

  emptied(): void {
    const held = this.#heldStatus;
    if (held) this.onReceiveStatus(held);
  }

  onReceiveStatus(status: StreamStatus): void {
    if (this.status) return;
    if (this.#compressed?.empty === false) {
      this.#heldStatus = status;
      return;
    }
    const { rstCode } = status;
    const ended = this.#asLoss(status);
    const { code, details, metadata } = ended;
    // The server knows the deadline too, and may notice first that it has passed (grpc-go: "Our deadline was already
    // exceeded, and that was likely the cause of this cancelation").
    if (rstCode === constants.NGHTTP2_CANCEL && this.call.timeLeft <= 0) return this.call.exceedDeadline();
    this.#ended(rstCode === undefined ? ended : { code, details, metadata });
    this.#trailers = metadata;
    this.local = isReceiveLimit(status);
    const refused = !this.#answered && (rstCode === constants.NGHTTP2_REFUSED_STREAM || isUnsent(status));
    if (refused) this.refusedAt = this.call.environment.context.clock.now();
    const shed = !this.#answered && isShed(status);
    const degraded = degradedIn(metadata);
    // A failure without a word on it may be this side's.
    if (degraded !== undefined || code === Status.OK) this.endpoint.degradation.say(degraded);
    if (this.local) this.finish('refused', 'caller');
    // The endpoint has done nothing wrong. A call that is not a stream has no such end, whatever its trailers say.
    else if (code !== Status.OK && this.call.stream && asksToBeginAgain(metadata)) this.finish('ok', 'caller');
    else if (shed) this.shed(this.call.rank);
    else if (!this.#answered && rstCode === constants.NGHTTP2_REFUSED_STREAM) this.turnedAway();
    else this.finish(this.#kindOf(code), this.#endedBy(code));
    this.call.attemptEnded(this, this.#end(code, refused ? 'refused' : shed ? 'shed' : 'processed', metadata));
  }

  /** The status as it is after the loss of the connection, if that ended the stream. */
  #asLoss(status: StreamStatus): StatusObject {
    const ended = this.#translated(status);
    return ended !== status || isLoss(status, this.connection.lost) ? withPeer(ended, this.peer) : status;
  }

  #translated(status: StreamStatus): StatusObject {
    if (this.connection.lost && status.rstCode === constants.NGHTTP2_CANCEL) return cancelledByLoss(status);
    if (this.connection.lost && status.rstCode === constants.NGHTTP2_NO_ERROR) return resetByLoss(status);
    return withLostConnection(status);
  }

  #reset(code: Status, details: string): void {
    this.local = true;
    this.#ended({ code, details, metadata: new Metadata() });
    this.#stream?.cancelWithStatus(code, details);
  }

  #ended(status: StatusObject): void {
    this.status = status;
    this.#compressed = undefined;
    this.#listener?.forget();
  }

  #end(code: Status, progress: AttemptProgress, metadata: Metadata): AttemptEnd {
    if (code === Status.OK) return OK_END;
    return { code, progress, pushback: retryPushback(metadata), local: this.local };
  }

  #kindOf(code: Status): ResultKind {
    return this.call.environment.statuses.kindOf(code);
  }

  #endedBy(code: Status): EndedBy {
    if (code === Status.DEADLINE_EXCEEDED) return 'deadline';
    // grpc-js creates the higher codes as well, such as UNAVAILABLE if the connection is lost.
    return this.#answered || (code < Status.RESOURCE_EXHAUSTED && code !== Status.CANCELLED) ? 'peer' : 'unknown';
  }
}

/** The context of a message without a callback. */
const NO_CONTEXT = Object.freeze({});

const OK_END: AttemptEnd = { code: Status.OK, progress: 'processed' };
