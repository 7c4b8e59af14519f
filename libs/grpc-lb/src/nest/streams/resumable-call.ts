import { AsyncResource } from 'node:async_hooks';
import { type Client, connectivityState, Metadata, status as Status } from '@grpc/grpc-js';
import type { Unsubscribable } from 'rxjs';
import type { Member } from '../../core/balancing/members/member.js';
import type { Cancel } from '../../core/clock.js';
import type { Random } from '../../core/random.js';
import { ResumableStream, type StreamOwner } from '../../core/resume/resumable-stream.js';
import type { OpenedCall, StreamListener } from '../../core/resume/stream-call.js';
import { moveBefore } from '../../core/resume/stream-age.js';
import type { MoveReason, PlacedStream } from '../../core/streams/placed-stream.js';
import type { BalancedChannel } from '../../grpc/channel/balanced-channel.js';
import { channelOf } from '../../grpc/channel/channel-of.js';
import { systemClock } from '../../grpc/context/system-clock.js';
import type { WireAttempt } from '../../grpc/call/wire-attempt.js';
import type { Connection } from '../../grpc/endpoint/connection.js';
import { type Abortable, endWith, leave } from '../stub/abort-signals.js';
import type { ArgumentRules } from '../stub/argument-rules.js';
import { type CallArguments, isIntercepted } from '../stub/call-arguments.js';
import { OpenCall, type OpenCalls } from '../stub/open-calls.js';
import { aborted, type FailedCall, serviceError } from '../stub/service-error.js';
import type { Method } from '../stub/subscribed-call.js';
import type { Carrier, CarrierOwner, Route } from './carrier.js';
import { ClientCarrier } from './client-carrier.js';
import { DirectCarrier } from './direct-carrier.js';
import type { StreamRules } from './resumable-rules.js';
import { ScopedClock } from './scoped-clock.js';
import type { Sink } from './sink.js';
import { StreamEnd } from './stream-end.js';

type Endpoint = Member<Connection>;

/** What the streams of one method share. */
export interface StreamTarget {
  readonly method: Method;
  readonly openCalls: OpenCalls;
  readonly rules: StreamRules;
  /** By which the arguments of a call are checked. */
  readonly argumentRules: ArgumentRules;
  /** Undefined if grpc-js makes the calls of the channel. */
  readonly channel: BalancedChannel | undefined;
  /** Makes the calls, unless `direct`. */
  readonly client: Client;
  /** The name of the client. */
  readonly clientName: string;
  /** Whether calls go straight to the channel. */
  readonly direct: boolean;
  /** Adds the policy's key of a request to the metadata. */
  keyed(request: unknown, metadata: Metadata): Metadata;
}

/** Where a stream moves, and why. */
interface Move {
  readonly reason: MoveReason;
  readonly to: Endpoint | undefined;
}

/**
 * One subscription of a resumable method: it looks like one call, and is carried by one call after the other. All of its
 * user's code runs in the async context of the subscriber.
 */
export class ResumableCall
  extends OpenCall
  implements StreamOwner<unknown, unknown, StreamEnd>, PlacedStream<Endpoint>, CarrierOwner, Unsubscribable, Abortable
{
  readonly clock: ScopedClock;
  readonly #scope = new AsyncResource('GRPC_LB_STREAM', { requireManualDestroy: true });
  /** Undefined until it has begun. */
  #stream: ResumableStream<unknown, unknown, StreamEnd> | undefined;
  /** The call whose messages are delivered. */
  #carrier: Carrier | undefined;
  /** The call that is to take over. */
  #next: Carrier | undefined;
  #move: Move | undefined;
  /** The attempt that carries it, with its endpoint and its connection. */
  #placed: WireAttempt | undefined;
  #deadline: number | undefined;
  #cancelAge: Cancel | undefined;
  /** While no call watches the deadline. */
  #cancelDeadline: Cancel | undefined;
  #done = false;

  constructor(
    protected readonly target: StreamTarget,
    protected readonly args: CallArguments,
    protected readonly request: unknown,
    private readonly sink: Sink,
  ) {
    super();
    this.clock = new ScopedClock(target.channel?.context.clock ?? systemClock, this.#scope);
  }

  start(): void {
    const { signal } = this.args;
    if (signal?.aborted) return this.sink.fail(aborted(signal));
    this.target.openCalls.add(this);
    if (signal) endWith(signal, this);
    this.begin();
  }

  protected begin(): void {
    this.startStream(this.target.rules, this.request);
  }

  protected startStream(rules: StreamRules, request: unknown): void {
    this.#stream = new ResumableStream(rules, request, this);
    this.#stream.start();
  }

  protected get isDone(): boolean {
    return this.#done;
  }

  /** Called when the sink takes messages again. */
  pump(): void {
    this.#stream?.pump();
  }

  aborted(): void {
    this.giveUp(aborted(this.args.signal!));
  }

  giveUp(error: unknown): void {
    this.runInScope(() =>
      this.#finish(() => {
        this.#tellCanceled();
        this.sink.fail(error);
      }),
    );
  }

  /** The subscriber has left, or the stream has ended. */
  unsubscribe(): void {
    this.#finish(() => this.#tellCanceled());
  }

  runInScope(action: () => void): void {
    this.#scope.runInAsyncScope(action);
  }

  /** The address of the server that carries it. */
  get peer(): string | undefined {
    return this.#carrier?.attempt?.peer;
  }

  // What the placement reads and asks.

  get endpoint(): Endpoint {
    return this.#placed!.endpoint;
  }

  get movable(): boolean {
    // Calls that grpc-js makes have no place; only their age moves them.
    const placed = this.#placed !== undefined || this.target.channel === undefined;
    return placed && this.#stream?.movable === true;
  }

  get moving(): boolean {
    return this.#move !== undefined;
  }

  get keyed(): boolean {
    return this.#carrier?.attempt?.keyed === true;
  }

  get home(): Endpoint | undefined {
    return this.#carrier?.attempt?.home;
  }

  move(reason: MoveReason, to?: Endpoint): void {
    if (!this.movable) return;
    this.#move = { reason, to };
    this.runInScope(() => this.#stream!.move());
  }

  // What the stream asks.

  get random(): Random {
    return this.target.channel?.context.random ?? Math.random;
  }

  get wantsMore(): boolean {
    return this.sink.wantsMore;
  }

  open(request: unknown, why: 'first' | 'resume' | 'move', listener: StreamListener<unknown, StreamEnd>): OpenedCall {
    const carrier = this.#create(listener, why === 'move' ? this.#route : ANYWHERE);
    if (why === 'move') this.#next = carrier;
    else this.#carrier = carrier;
    this.#cancelDeadline?.();
    if (why === 'resume' && this.target.channel) this.target.channel.context.totals.streamsResumed++;
    try {
      this.#begin(carrier, request, why === 'move');
    } catch (error) {
      if (why === 'move') listener.onEnd(NOT_OPENED);
      else if (this.#isClosed)
        this.ended(endHere(Status.CANCELLED, `${this.target.rules.subject}: the client is closed`), undefined);
      else this.failed(error);
    }
    return carrier;
  }

  deliver(message: unknown): void {
    this.sink.take(message);
  }

  moved(): void {
    const { reason } = this.#move!;
    this.#carrier = this.#next;
    this.#next = this.#move = undefined;
    this.#place(reason);
    this.#watchAge();
  }

  stayed(): void {
    const { reason } = this.#move!;
    this.#next = this.#move = undefined;
    if (reason === 'max_age') this.#moveAfter(AGAIN_MS);
  }

  interrupted(): void {
    this.#carrier = undefined;
    this.#cancelAge?.();
    this.#cancelDeadline?.();
    this.#place();
    if (!this.#done) this.#watchDeadline();
  }

  ended({ status, peer }: StreamEnd, note: string | undefined): void {
    // The user has said that OK is not the end of the data.
    const { code, details: said } = status.code === Status.OK && note !== undefined ? ENDED_WITH_OK : status;
    const details = note === undefined ? said : `${said} (${this.target.rules.subject} does not resume: ${note})`;
    const end = { ...status, code, details };
    this.#finish(() => {
      try {
        this.args.onStatus?.(end);
      } finally {
        // Even if the user's function throws.
        if (end.code === Status.OK) this.sink.complete();
        else this.sink.fail(serviceError(end, undefined, this.#failed(peer)));
      }
    });
  }

  #failed(peer: string | undefined): FailedCall {
    const { clientName, method } = this.target;
    return { client: clientName, method: method.path, peer };
  }

  failed(error: unknown): void {
    this.#finish(() => this.sink.fail(error));
  }

  // What the calls ask and tell.

  get lasting(): boolean {
    return this.target.rules.lasting;
  }

  drained(): void {}

  /** The deadline is that of the subscription, also if the options of the method set it. */
  begun(deadline: number): void {
    if (deadline !== Infinity) this.#deadline ??= deadline;
  }

  placed(carrier: Carrier): void {
    if (carrier === this.#carrier) this.#place();
  }

  headersReceived(carrier: Carrier, headers: Metadata): void {
    if (carrier === this.#carrier) {
      this.#place();
      this.#watchAge();
    }
    this.args.onMetadata?.(headers);
  }

  /** A stream whose connection alone is replaced may stay at its endpoint. */
  get #route(): Route {
    const { reason, to } = this.#move!;
    return { to, leaving: reason === 'connection_retired' ? undefined : this.#placed?.endpoint };
  }

  /** Whether the client is closed; if not, an interceptor has thrown. */
  get #isClosed(): boolean {
    return channelOf(this.target.client).getConnectivityState(false) === connectivityState.SHUTDOWN;
  }

  #create(listener: StreamListener<unknown, StreamEnd>, route: Route): Carrier {
    const direct = this.target.direct && !isIntercepted(this.args);
    const since = this.clock.now();
    return direct ? new DirectCarrier(this, listener, route, since) : new ClientCarrier(this, listener, route, since);
  }

  #begin(carrier: Carrier, request: unknown, moving: boolean): void {
    const { options } = this.args;
    const deadline = this.#deadline ?? options.deadline;
    const args = {
      ...this.args,
      options: deadline === undefined ? options : { ...options, deadline },
    };
    this.startCall(carrier, request, args, moving);
  }

  /** `moving`: the call is to take over from the present one. */
  protected startCall(carrier: Carrier, request: unknown, given: CallArguments, _moving: boolean): void {
    const { channel, client, method } = this.target;
    const args = { ...given, metadata: this.target.keyed(request, given.metadata) };
    if (carrier instanceof DirectCarrier) carrier.start(channel!, method, request, args);
    else (carrier as ClientCarrier).start(client, method, request, args);
  }

  /** Called once, when it has ended. */
  protected finished(): void {}

  /** Tells the placement where the stream is now. */
  #place(reason?: MoveReason): void {
    const [from, to] = [this.#placed, this.#carrier?.attempt];
    if (from === to || !this.target.rules.moves) return;
    from?.connection.streams?.delete(this);
    const moves = from !== undefined && to !== undefined && reason !== undefined;
    if (from && !moves) from.endpoint.placement.closed(this);
    this.#placed = to;
    if (!to) return;
    (to.connection.streams ??= new Set()).add(this);
    const { placement } = to.endpoint;
    if (moves) placement.moved(this, from.endpoint, reason);
    else placement.opened(this);
    const { retiring } = to.connection;
    // It may have retired during the move. Of an endpoint that drains, all streams are asked to go.
    if (retiring !== undefined && retiring !== 'draining') placement.leave([this], 'connection_retired');
  }

  #watchAge(): void {
    this.#cancelAge?.();
    const { maxAge, since = 0 } = this.#carrier ?? {};
    const before = maxAge === undefined || !this.target.rules.moves ? undefined : moveBefore(maxAge, this.random);
    // The headers may come late, with the first message.
    if (before !== undefined) this.#moveAfter(Math.max(0, before - (this.clock.now() - since)));
  }

  #watchDeadline(): void {
    const left = Number(this.#deadline ?? this.args.options.deadline) - Date.now();
    // A later deadline, as one that is absent, outlasts any backoff.
    if (!(left <= MAX_DELAY_MS)) return;
    const tooLate = endHere(Status.DEADLINE_EXCEEDED, 'Deadline exceeded before the stream resumed');
    this.#cancelDeadline = this.clock.after(Math.max(0, left), () => this.ended(tooLate, undefined));
  }

  #moveAfter(delay: number): void {
    this.#cancelAge = this.clock.after(delay, () => {
      if (this.movable) this.move('max_age');
      // It has no token yet, or moves for another reason.
      else this.#moveAfter(AGAIN_MS);
    });
  }

  /** Later, as of other calls: what the function throws is not for the code that ends the stream. */
  #tellCanceled(): void {
    const { onStatus } = this.args;
    const status = { code: Status.CANCELLED, details: 'Cancelled on client', metadata: new Metadata() };
    if (onStatus) process.nextTick(() => this.runInScope(() => onStatus(status)));
  }

  #finish(tell: () => void): void {
    if (this.#done) return;
    this.#done = true;
    this.target.openCalls.delete(this);
    const { signal } = this.args;
    if (signal) leave(signal, this);
    this.#stream?.stop();
    this.interrupted();
    this.finished();
    tell();
    this.#scope.emitDestroy();
  }
}

const ANYWHERE: Route = { leaving: undefined, to: undefined };

/** Milliseconds until a stream that is due for its age, and cannot move, tries again. */
const AGAIN_MS = 1000;

/** The maximum of setTimeout. */
const MAX_DELAY_MS = 2 ** 31 - 1;

/** The end of a stream for a reason of this side. */
function endHere(code: Status, details: string): StreamEnd {
  return new StreamEnd({ code, details, metadata: new Metadata() }, false, true);
}

const ENDED_WITH_OK = { code: Status.UNAVAILABLE, details: 'The server has ended the stream with OK' } as const;

const NOT_OPENED = new StreamEnd(
  { code: Status.UNAVAILABLE, details: 'the call was not opened', metadata: new Metadata() },
  false,
  true,
);
