import type { OutgoingHttpHeaders } from 'node:http2';
import { type CallCredentials, Metadata, status as Status } from '@grpc/grpc-js';
import type { EndedBy } from '../../core/balancing/calls/attempt.js';
import { NO_VISITS, type Visits } from '../../core/balancing/calls/visits.js';
import type { AttemptEnd } from '../../core/call/attempt-end.js';
import type { CallThrottle } from '../../core/call/call-throttle.js';
import { CallPlan } from '../../core/call/call-plan.js';
import type { AttemptKind, PlanOwner } from '../../core/call/plan-owner.js';
import { currentHandledCall } from '../../handled-call/handled-call.js';
import type { MethodPolicy } from '../config/method-policies.js';
import { criticalityOf } from './inherited-criticality.js';
import type { Connection } from '../endpoint/connection.js';
import type { CallStream } from '../experimental.js';
import { NO_METADATA, tellPrevious } from './attempt-headers.js';
import type { PlaceableCall } from './call-dispatcher.js';
import type { CallEnvironment } from './call-environment.js';
import type { CallObservation, EndOrigin, ObservedCall, WaitReason } from './call-observer.js';
import { CallTimes } from './call-times.js';
import { attemptTimeoutText, deadlineText } from './deadline-text.js';
import { messageSize } from './frame.js';
import { refusedEnd, tellEnded, tellSent, tellStarted } from './told.js';
import { throttledText } from './throttled-text.js';
import { askCredentials, credentialsFailure, isOld, PLAINTEXT } from './asked-credentials.js';
import { visitsOf } from './call-visits.js';
import { encodingIn, removeEncodings } from './message-codec.js';
import { type CallListener, ListenedCall } from './listened-call.js';
import { inheritedDeadline, onParentCancelled, type ParentCall, parentOf } from './parent-call.js';
import { RequestHeaders } from './request-headers.js';
import { type OwnOptions, ownOptionsIn } from './own-options.js';
import { type RequestOwner, RequestWriter } from './request-writer.js';
import { slotIn, type StreamSlot } from './stream-slot.js';
import type { WireAttempt } from './wire-attempt.js';
import { removeOwnTrailers } from './wire-status.js';

type MessageContext = Parameters<CallStream['sendMessageWithContext']>[0];

export interface CallArguments {
  readonly path: string;
  /** In milliseconds since the epoch; Infinity for none. */
  readonly deadline: number;
  readonly host: string | undefined;
  readonly parent: ParentCall | null;
  /** Which parts of the parent apply, as in `propagate` of grpc-js. */
  readonly flags: number;
}

let calls = 0;

/**
 * One call: the `Call` that grpc-js's clients and interceptors use. It carries out its plan: sends attempts, and passes
 * the results of one of them to the listener.
 */
export class ClientCall
  extends ListenedCall
  implements CallStream, PlaceableCall, PlanOwner<WireAttempt>, RequestOwner, ObservedCall
{
  readonly method: string;
  readonly stream: boolean;
  /** The key of ring hash. */
  hashKey: string | undefined;
  metadata!: Metadata;
  waitForReady = false;
  /** The stream that it is to carry; undefined if it is a call of its own. */
  slot: StreamSlot | undefined;

  readonly #number = ++calls;
  readonly #policy: MethodPolicy;
  readonly #plan: CallPlan<WireAttempt>;
  readonly #requests: RequestWriter;
  readonly #host: string;
  readonly #times: CallTimes;
  /** The call whose deadline and cancellation it inherits. */
  readonly #parent: ParentCall | null;
  /** Stops listening to the parent. */
  #leaveParent: (() => void) | undefined;
  readonly #headers: RequestHeaders;
  #credentials: CallCredentials | undefined;
  /** Whether its own options say that its requests are compressed. */
  #compresses = false;
  #readStarted = false;
  #responded = false;
  /** Whether the caller is starting it, in its own async context. */
  #starting = false;
  /** Whether it counts as active. */
  #active = false;
  ended = false;
  /** All attempts that were sent. */
  #attempts: WireAttempt[] | undefined;
  #waitsFor: WaitReason | undefined;
  /** Counts the attempts that were to be placed, so that what one of them waits for does not place the next one. */
  #placement = 0;
  /** Why the attempt could not be placed; undefined if it can still be. */
  #refusal: { readonly code: Status; readonly details: string } | undefined;
  #observation: CallObservation | undefined;
  /** The attempt with whose status it failed; null if it found no endpoint, undefined if this side ended it. */
  #failedWith: WireAttempt | null | undefined;

  constructor(
    readonly environment: CallEnvironment,
    private readonly args: CallArguments,
  ) {
    super();
    const { path, host, deadline, parent, flags } = args;
    this.method = path;
    this.#policy = environment.policies.for(path);
    this.stream = this.#policy.stream;
    this.#host = host ?? environment.authority;
    const now = Date.now();
    const own = Math.min(deadline, now + (this.#policy.timeout ?? Infinity));
    const handled = currentHandledCall();
    this.#parent = parentOf(parent, handled, flags, this.#policy.inherits);
    this.#headers = new RequestHeaders(criticalityOf(this.#policy.criticality, handled));
    const inherited = this.#parent ? inheritedDeadline(this.#parent, flags, now) : Infinity;
    this.#times = new CallTimes(now, Math.min(own, inherited));
    this.#requests = new RequestWriter(
      this,
      environment.replayMemory,
      environment.encoding,
      environment.limits.maxSend,
    );
    this.#plan = new CallPlan(this.#policy.call, environment, this);
  }

  // What grpc-js calls.

  start(metadata: Metadata, listener: CallListener): void {
    this.metadata = metadata;
    if (metadata !== NO_METADATA) {
      const options = metadata.getOptions();
      this.waitForReady = options.waitForReady === true;
      this.slot ??= slotIn(options);
      const own = ownOptionsIn(options);
      if (own) this.#apply(own);
    }
    this.slot?.begun(this);
    const { environment } = this;
    const observer = environment.observers.all;
    if (observer !== undefined) {
      this.#observation = observer.callStarted(this);
      this.#times.keep();
    }
    // Not earlier: the observer may have cancelled the call.
    this.listener = listener;
    if (this.ended) {
      this.#observation?.ended?.(refusedEnd(this.#refusal!));
      return this.#deliverLater();
    }
    this.#followParent();
    if (this.ended) return;
    const forbidden = this.#headers.begin(metadata, this.#requests.encoding);
    if (forbidden !== undefined) return this.#refuseLocally(Status.INTERNAL, forbidden);
    if (this.#credentials && !environment.secure) return this.#refuseLocally(Status.UNAUTHENTICATED, PLAINTEXT);
    const times = this.#times;
    if (times.deadline !== Infinity && !times.watch(environment.clock, () => this.exceedDeadline())) return;
    environment.active.started();
    this.#active = true;
    this.#starting = true;
    this.#plan.start();
    this.#starting = false;
  }

  setCredentials(credentials: CallCredentials): void {
    this.#credentials = credentials;
  }

  sendMessageWithContext(context: MessageContext, message: Buffer): void {
    this.#requests.write(context, message);
  }

  startRead(): void {
    this.#readStarted = true;
    for (const attempt of this.#plan.running) attempt.startRead();
  }

  halfClose(): void {
    this.#requests.close();
  }

  cancelWithStatus(code: Status, details: string): void {
    this.#stop(code, details, 'caller');
  }

  getPeer(): string {
    return this.#lastAttempt?.peer ?? this.target;
  }

  getAuthContext() {
    return this.#lastAttempt?.authContext ?? null;
  }

  getCallNumber(): number {
    return this.#number;
  }

  /** In milliseconds since the epoch; Infinity for none. */
  get deadline(): number {
    return this.#times.deadline;
  }

  // What its error is told.

  /** The address of the backend with whose status it failed, or else of the last one; undefined if it was not sent. */
  get peer(): string | undefined {
    return (this.#failedWith === undefined ? this.#lastAttempt : this.#failedWith)?.peer;
  }

  /** Milliseconds from its start to its deadline; Infinity if it has none. */
  get timeout(): number {
    return this.#times.deadline - this.#times.startedAt;
  }

  // What an observer is shown.

  get client(): string {
    return this.environment.context.name;
  }

  get target(): string {
    return this.environment.context.target;
  }

  get declared(): boolean {
    return this.#policy.declared;
  }

  /** Whether it carries a stream that stays open. */
  get lasting(): boolean | undefined {
    return this.slot?.lasting;
  }

  setHeader(key: string, value: string): void {
    this.#headers.observe(key, value);
  }

  // What the dispatcher calls.

  /** The attempt that waits for an endpoint; undefined if none does. */
  get placing(): AttemptKind | undefined {
    return this.#plan.placing;
  }

  /** Where the call has been. */
  get visits(): Visits<Connection> {
    const { slot } = this;
    if (!this.#attempts && !slot) return NO_VISITS;
    return visitsOf(this.#attempts ?? [], this.#plan, slot, this.hashKey);
  }

  /** Whether its call credentials must be asked before the attempt can be placed. */
  needsAuthorization(channelCredentials: CallCredentials | undefined): boolean {
    return this.#headers.authorized === undefined && (this.#credentials ?? channelCredentials) !== undefined;
  }

  get isAuthorizationOld(): boolean {
    const { authorized } = this.#headers;
    return authorized !== undefined && isOld(authorized, this.environment.clock.now());
  }

  /** Asks the call credentials, and calls back when the attempt can be placed. */
  authorize(channelCredentials: CallCredentials | undefined, placeable: () => void): void {
    this.waits('call_credentials');
    const placement = this.#placement;
    const call = { host: this.#host, method: this.method };
    this.runInAsyncScope(() => askCredentials(this.#credentials, channelCredentials, call)).then(
      (metadata) => {
        if (this.ended || this.#placement !== placement) return;
        this.#headers.authorized = { metadata, at: this.environment.clock.now() };
        placeable();
      },
      (error: unknown) => {
        if (this.ended || this.#placement !== placement) return;
        this.environment.dispatcher.remove(this);
        this.notPlaced(credentialsFailure(error), 'not_placed');
      },
    );
  }

  waits(reason: WaitReason): void {
    if (reason === this.#waitsFor) return;
    this.#waitsFor = reason;
    this.#observation?.waits?.(reason);
  }

  /** Sends the attempt that was to be placed; returns false if its connection cannot take it. */
  send(attempt: WireAttempt): boolean {
    const headers = this.#headers.ofAttempt(this.timeLeft, this.#plan.attempts - 1);
    if (typeof headers === 'string') {
      attempt.lapse();
      this.#refuseLocally(Status.INTERNAL, headers);
      return true;
    }
    // A pending call is sent in the context of what wakes it.
    return this.#starting ? this.#open(attempt, headers) : this.runInAsyncScope(() => this.#open(attempt, headers));
  }

  #open(attempt: WireAttempt, headers: OutgoingHttpHeaders): boolean {
    const kind = this.placing!;
    try {
      const authority = this.args.host ?? attempt.connection.authority ?? this.#host;
      if (!attempt.open(headers, authority, this.method)) return false;
    } catch (error) {
      // No other connection, and no other attempt, can do better.
      this.#refuseLocally(Status.INTERNAL, (error as Error).message);
      return true;
    }
    this.#times.sent();
    this.#headers.authorized = undefined;
    if (this.#attempts) attempt.number = this.#attempts.push(attempt);
    else this.#attempts = [attempt];
    const observation = this.#observation;
    if (observation) {
      const wait = { from: this.#times.attemptAt, to: this.#times.sentAt!, reason: this.#waitsFor };
      tellStarted(observation, attempt, kind, wait);
    }
    this.#requests.replay(attempt);
    if (observation) for (const { frame } of this.#requests.kept) tellSent(observation, attempt, frame);
    if (this.#readStarted) attempt.startRead();
    this.#plan.placed(attempt);
    this.slot?.sent(attempt);
    return true;
  }

  /** The attempt cannot be placed. Ends the call later, so that a caller who repeats it at once does not loop. */
  notPlaced(
    refusal: { readonly code: Status; readonly details: string },
    progress: 'exhausted' | 'dropped' | 'not_placed',
  ): void {
    this.#refusal = refusal;
    // While another attempt runs, the call goes on.
    if (progress === 'dropped' && this.running.length === 0) this.#observation?.dropped?.(refusedEnd(refusal));
    else this.#observation?.notSent?.(progress === 'exhausted' ? undefined : refusedEnd(refusal));
    // Credentials that come later do not place it.
    const placement = ++this.#placement;
    setImmediate(() => {
      // Another attempt may have been answered in the meantime, so that this one is not needed any more.
      if (this.#placement === placement) this.#plan.ended(undefined, { code: refusal.code, progress });
    });
  }

  // What the plan calls.

  get timeLeft(): number {
    return this.#times.left;
  }

  place(): void {
    this.#placement++;
    this.#refusal = undefined;
    this.#times.placing();
    this.#waitsFor = undefined;
    this.environment.dispatcher.place(this);
  }

  unplace(): void {
    // An attempt that was refused has been told as such, and waits for the end of the turn.
    if (this.#refusal === undefined) this.#observation?.notSent?.(undefined);
    this.#placement++;
    this.#headers.authorized = undefined;
    this.environment.dispatcher.remove(this);
  }

  cancel(attempt: WireAttempt, timedOut: boolean): void {
    if (timedOut) {
      const details = attemptTimeoutText(this.client, attempt.endpoint.key, this.#plan.attemptTimeout!);
      attempt.abort(Status.DEADLINE_EXCEEDED, details, 'deadline');
    } else attempt.overtake();
    if (this.#observation) tellEnded(this.#observation, attempt);
  }

  committed(attempt: WireAttempt): void {
    this.#requests.release();
    // Of several attempts, the one that carries the stream need not be the last that was sent.
    this.slot?.sent(attempt);
  }

  get rank(): number | undefined {
    return this.#headers.rank;
  }

  /** Ends later, so that a caller who repeats it at once does not loop. */
  throttled(throttle: CallThrottle): void {
    const { name } = this.environment.context;
    const refusal = { code: Status.UNAVAILABLE, details: throttledText(name, this.method, throttle) };
    this.#refusal = refusal;
    this.#observation?.dropped?.(refusedEnd(refusal));
    setImmediate(() => {
      if (this.ended) return;
      const status = { ...refusal, metadata: new Metadata() };
      this.#end(status, 'local');
      this.deliver(status);
    });
  }

  isExcused(attempt: WireAttempt): boolean {
    return attempt.excused;
  }

  endpointOf({ endpoint }: WireAttempt): object {
    return endpoint;
  }

  finish(attempt: WireAttempt | undefined, { timedOut }: AttemptEnd): void {
    if (timedOut) this.#learnLatency();
    if (attempt) this.slot?.endsWith(attempt);
    const status = attempt?.status ?? { ...this.#refusal!, metadata: new Metadata() };
    // Of a committed attempt the headers have said so.
    if (this.#plan.committed === undefined) tellPrevious(status.metadata, this.#plan.attempts - 1);
    if (status.code !== Status.OK) {
      removeOwnTrailers(status.metadata);
      this.#failedWith = attempt ?? null;
    }
    this.#end(status, attempt && !attempt.local ? 'remote' : 'local');
    this.deliver(status);
  }

  // What its requests need.

  get repeatable(): boolean {
    return this.#plan.open;
  }

  get running(): readonly WireAttempt[] {
    return this.#plan.running;
  }

  seal(): void {
    this.#plan.seal();
  }

  messageSent(frame: Buffer): void {
    if (this.#observation) for (const attempt of this.running) tellSent(this.#observation, attempt, frame);
  }

  // What an attempt calls.

  headersReceived(attempt: WireAttempt, metadata: Metadata): void {
    this.#learnLatency();
    this.#plan.responded(attempt);
    if (this.ended || this.#plan.committed !== attempt) return;
    attempt.headers = metadata;
    if (this.#compresses || this.environment.compresses) this.#learnEncodings(metadata);
    if (this.listener!.wantsHeaders === false && this.#observation === undefined) return;
    attempt.encoding = encodingIn(metadata);
    removeEncodings(metadata);
    tellPrevious(metadata, this.#plan.attempts - 1);
    this.#observation?.headersReceived?.(attempt.number, metadata);
    if (this.listener!.wantsHeaders !== false) this.tell('onReceiveMetadata', metadata);
  }

  messageReceived(attempt: WireAttempt, message: Buffer, wireLength: number): void {
    if (this.#plan.committed !== attempt) this.#plan.responded(attempt);
    if (this.ended || this.#plan.committed !== attempt) return;
    this.#observation?.messageReceived?.(attempt.number, messageSize(wireLength));
    const single = this.#policy.responseStream === false;
    if (single && this.#responded) return this.cancelLocally(Status.UNIMPLEMENTED, 'Too many responses received');
    this.#responded = true;
    this.tell('onReceiveMessage', message);
    if (single) this.environment.secondReads.add(attempt);
  }

  attemptEnded(attempt: WireAttempt, end: AttemptEnd): void {
    if (this.#observation) tellEnded(this.#observation, attempt);
    this.#plan.ended(attempt, end);
  }

  /** Ends the call for a reason of this side, such as a message that is too large. */
  cancelLocally(code: Status, details: string): void {
    this.#stop(code, details, 'caller');
  }

  /**
   * Of the call, not of the attempt: a hedge that wins must not make the next hedge come earlier. So an attempt that has
   * timed out counts only if it is the last; otherwise the answer does that comes after it.
   */
  #learnLatency(): void {
    const { latency } = this.#policy;
    if (!latency || this.#plan.committed !== undefined) return;
    const first = this.#attempts?.[0];
    if (!first) return;
    const now = this.environment.clock.now();
    latency.record(now - first.reservedAt, now);
  }

  get #lastAttempt(): WireAttempt | undefined {
    return this.#plan.committed ?? this.#attempts?.at(-1);
  }

  #followParent(): void {
    if (!this.#parent) return;
    const cancelled = (): void => {
      // The parent has the same deadline, and may notice first that it has passed.
      if (this.#times.left <= 0) this.exceedDeadline();
      else this.#stop(Status.CANCELLED, 'Cancelled by parent call', 'caller');
    };
    this.#leaveParent = onParentCancelled(this.#parent, this.args.flags, cancelled);
  }

  /** Ends the call, because its deadline has passed. */
  exceedDeadline(): void {
    this.#learnLatency();
    const course = {
      times: this.#times,
      resolvedAt: this.environment.dispatcher.resolvedAt,
      previousAttempts: Math.max(0, this.#plan.attempts - 1),
      waitForReady: this.waitForReady,
      peer: this.#lastAttempt?.peer,
    };
    this.#stop(Status.DEADLINE_EXCEEDED, deadlineText(course, Date.now()), 'deadline');
  }

  #apply({ limits, compression }: OwnOptions): void {
    if (limits) this.#plan.limit(limits);
    if (compression === undefined) return;
    this.#requests.encoding = this.environment.accepted(compression);
    this.#compresses = compression !== 'identity';
  }

  /** Later calls are compressed as the server understands them from their beginning. */
  #learnEncodings(headers: Metadata): void {
    const [accepted] = headers.get('grpc-accept-encoding');
    if (typeof accepted !== 'string') return;
    this.environment.serverAccepts(accepted);
    this.#requests.adapt(accepted);
  }

  /** Ends the call before any stream is opened. */
  #refuseLocally(code: Status, details: string): void {
    this.#stop(code, `client ${this.environment.context.name}: ${details}`, 'caller');
  }

  #stop(code: Status, details: string, by: EndedBy): void {
    if (this.ended) return;
    if (this.environment.observers.telling > 0) return queueMicrotask(() => this.#stop(code, details, by));
    const status = { code, details, metadata: new Metadata() };
    const running = [...this.#plan.running];
    this.#plan.stop(by === 'deadline');
    this.#end(status, 'local', () => {
      for (const attempt of running) {
        attempt.abort(code, details, by);
        if (this.#observation) tellEnded(this.#observation, attempt);
      }
    });
    this.#refusal = status;
    if (this.listener) this.#deliverLater();
  }

  /** Releases everything that the call holds. */
  #end(status: { code: Status; details: string; metadata: Metadata }, origin: EndOrigin, abort?: () => void): void {
    this.ended = true;
    if (this.#active) this.environment.active.ended();
    this.#times.stop();
    this.#leaveParent?.();
    this.environment.dispatcher.remove(this);
    abort?.();
    this.#requests.abandon();
    this.#observation?.ended?.({ ...status, origin });
  }

  #deliverLater(): void {
    process.nextTick(() => this.deliver({ ...this.#refusal!, metadata: new Metadata() }));
  }
}
