import type { Cancel, Clock } from '../clock.js';
import { jittered, type Random } from '../random.js';
import { Handover } from './handover.js';
import { factsOf, type MessageFacts } from './message-facts.js';
import { MAX_REMEMBERED, MAX_REMEMBERED_LENGTH, Position } from './position.js';
import { Repeats } from './repeats.js';
import type { CallEnd, ResumeRules } from './resume-rules.js';
import { type CallEvents, type OpenedCall, StreamCall, type StreamListener } from './stream-call.js';

/** Opens calls for a stream, and delivers its messages to the subscriber. */
export interface StreamOwner<Req, Msg, End extends CallEnd> {
  readonly clock: Clock;
  readonly random: Random;
  /** Whether the subscriber takes another message. Call `pump` when it does again. */
  readonly wantsMore: boolean;
  /** `move`: the call is to take over from the present one. What it ends with is told later. */
  open(request: Req, why: 'first' | 'resume' | 'move', listener: StreamListener<Msg, End>): OpenedCall;
  /** A message counts from now on: called before it is delivered, also for bookmarks, but not for repeated ones. */
  taken?(message: Msg): void;
  deliver(message: Msg): void;
  /** The new call of a move carries the stream from now on, and the old one is closed. */
  moved(): void;
  /** The new call of a move has not taken over. */
  stayed(): void;
  /** The call has ended, and another one will be opened. */
  interrupted(): void;
  /** The stream has ended. `note` says why it was not resumed, if its status allows that. */
  ended(end: End, note: string | undefined): void;
  /** A function of the user has thrown. */
  failed(error: unknown): void;
}

/** A call that has lived for as long, since it was sent, counts as progress, even without a message. */
const PROGRESS_AFTER_MS = 10_000;
/** A call must have lived for as long that the next one follows at once when the server asks for it. */
const AT_ONCE_AFTER_MS = 1000;
/** Of a server: its connections were closed. Of this side: nobody wants the stream any more. */
const CANCELLED = 1;
/** The client itself refuses calls when too many wait; such a call was not sent. */
const RESOURCE_EXHAUSTED = 8;

/**
 * One stream as its subscriber sees it: a sequence of calls, each of which begins where the one before it was. At most
 * two are open at a time, during a move: the new one takes over when it has repeated what the old one has delivered in
 * the meantime.
 *
 *     waiting ◀─────────────┐
 *        │ backoff          │ a status that it resumes after
 *        ▼                  │
 *     carried by one call ──┴──▶ ended: OK, another status, the subscriber leaves
 *        │      ▲
 *  move  ▼      │ the new call is level; or the old one is lost; or the new one fails
 *     two calls
 */
export class ResumableStream<Req, Msg, End extends CallEnd> implements CallEvents<Msg, End> {
  #closed = false;
  /** The call whose messages are delivered. */
  #call: StreamCall<Msg, End> | undefined;
  #handover: Handover<Msg, End> | undefined;
  readonly #position = new Position();
  /** Calls since the last progress. */
  #attempts = 0;
  #cancelWait: Cancel | undefined;

  constructor(
    private readonly rules: ResumeRules<Req, Msg, End>,
    private request: Req,
    private readonly owner: StreamOwner<Req, Msg, End>,
  ) {}

  start(): void {
    this.#open('first');
  }

  /** Whether it can move now: it has a token, repeats nothing, and is not moving already. */
  get movable(): boolean {
    const { hasToken, exact } = this.#position;
    return this.#call !== undefined && this.#handover === undefined && hasToken && exact;
  }

  /** Begins a move; returns whether it did. */
  move(): boolean {
    if (!this.movable) return false;
    const request = this.#nextRequest();
    if (this.#closed) return false;
    const handover = new Handover(this.#newCall());
    this.#handover = handover;
    this.#cancelWait = this.owner.clock.after(this.rules.handoverTimeout, () => this.#timeOut(handover));
    this.#start(handover.call, request as Req, 'move');
    return true;
  }

  /** Asks for messages: called when the subscriber takes more. */
  pump(): void {
    const handover = this.#handover;
    const { wantsMore } = this.owner;
    if (wantsMore && !handover?.oldWaits) this.#call?.read();
    // It must catch up though the subscriber takes nothing now; a message beyond that would wait with the subscriber.
    if (handover && (wantsMore || handover.call.behind > 0)) handover.call.read();
  }

  /** The subscriber has left. */
  stop(): void {
    const [call, handover] = [this.#call, this.#handover];
    this.#close();
    call?.cancel();
    handover?.call.cancel();
  }

  callOpened(call: StreamCall<Msg, End>): void {
    if (call === this.#handover?.call && call.behind === 0) this.#takeOver();
  }

  callMessage(call: StreamCall<Msg, End>, message: Msg): void {
    if (call !== this.#call && call !== this.#handover?.call) return;
    const facts = this.#try(() => factsOf(this.rules, message));
    if (!facts) return;
    if (call === this.#call) this.#fromPresent(call, facts);
    else this.#fromNew(call, facts);
    this.pump();
  }

  callEnded(call: StreamCall<Msg, End>, end: End): void {
    if (call === this.#handover?.call) {
      this.#stay();
      this.pump();
    } else if (call === this.#call) this.#presentEnded(call, end);
  }

  #fromPresent(call: StreamCall<Msg, End>, facts: MessageFacts<Msg>): void {
    if (call.repeated(facts) || isEarly(call, facts)) return;
    const handover = this.#handover;
    if (handover?.holds(facts)) return;
    if (facts.identity !== undefined) handover?.call.repeats!.add(facts.identity);
    this.#take(call, facts);
  }

  #fromNew(call: StreamCall<Msg, End>, facts: MessageFacts<Msg>): void {
    if (call.repeated(facts)) {
      if (call.behind === 0) this.#takeOver();
      return;
    }
    if (isEarly(call, facts)) return;
    this.#takeOver();
    if (!this.#closed) this.#take(call, facts);
  }

  #take(call: StreamCall<Msg, End>, { message, token, key, identity, isBookmark }: MessageFacts<Msg>): void {
    // A bookmark may come before the messages that a new call repeats.
    if (!isBookmark) call.passed(key !== undefined);
    this.#position.advance(token, key, identity, isBookmark);
    this.#attempts = 0;
    if (this.owner.taken) this.#try(() => this.owner.taken!(message));
    if (!isBookmark && !this.#closed) this.owner.deliver(message);
  }

  #takeOver(): void {
    const old = this.#call!;
    this.#call = this.#endHandover()!.call;
    this.#attempts = 0;
    old.cancel();
    this.owner.moved();
  }

  /** The new call has failed, or takes too long: the old one goes on. */
  #stay(): void {
    const { held } = this.#endHandover()!;
    this.owner.stayed();
    this.#release(held);
  }

  #release(held: readonly MessageFacts<Msg>[]): void {
    for (const facts of held) {
      if (this.#closed) return;
      this.#take(this.#call!, facts);
    }
  }

  /** A new call takes over if neither has anything to say: a server need not answer before its first message. */
  #timeOut({ call, held }: Handover<Msg, End>): void {
    if (call.sent && call.behind === 0 && held.length === 0) this.#takeOver();
    else {
      this.#stay();
      call.cancel();
    }
    this.pump();
  }

  #presentEnded(call: StreamCall<Msg, End>, end: End): void {
    if (this.#handover) return this.#endedInHandover(this.#handover, end);
    const now = this.owner.clock.now();
    const lived = now - (call.handle?.since ?? now);
    if (call.answered && lived >= PROGRESS_AFTER_MS) this.#attempts = 0;
    this.#call = undefined;
    if (this.#isGap(end)) return this.#gap(end, lived);
    if (!this.#isResumable(end)) return this.#end(end);
    const note = this.#obstacle;
    if (note !== undefined) return this.#end(end, this.rules.maxAttempts > 0 ? note : undefined);
    this.owner.interrupted();
    this.#openAfter(end.beginAgain && lived >= AT_ONCE_AFTER_MS ? 0 : this.#backoff());
  }

  #endedInHandover({ call, held }: Handover<Msg, End>, end: End): void {
    this.#endHandover();
    if (this.#isResumable(end) || this.#isGap(end)) {
      // The new call repeats what was held.
      this.#call = call;
      this.owner.moved();
      return this.pump();
    }
    call.cancel();
    this.#release(held);
    if (!this.#closed) this.#end(end);
  }

  #isGap({ code }: End): boolean {
    return this.rules.gapCodes.has(code) && this.#position.hasToken;
  }

  #isResumable({ code, beginAgain, sent, local }: End): boolean {
    if (code === CANCELLED && local) return false;
    // The end of the data, unless the user says that there is none.
    if (code === 0) return this.rules.codes.has(code);
    return beginAgain || this.rules.codes.has(code) || (code === RESOURCE_EXHAUSTED && !sent && this.#position.begun);
  }

  /** Why the stream does not begin again where it was; undefined if it does. */
  get #obstacle(): string | undefined {
    const { begun, hasToken, exact, full, loose } = this.#position;
    const { dedupe, maxAttempts } = this.rules;
    if (this.#attempts >= maxAttempts) return `${maxAttempts} attempts have failed`;
    if (begun && !hasToken && !dedupe) return 'no message has had a token';
    if (exact || dedupe === false) return undefined;
    const why = full ? REMEMBERED : 'as nothing identifies them; set dedupe';
    return `${loose} messages since the last token would be delivered again, ${why}`;
  }

  #gap(end: End, lived: number): void {
    const { onGap, maxAttempts } = this.rules;
    if (!onGap || this.#attempts >= maxAttempts) return this.#end(end);
    this.owner.interrupted();
    const { token } = this.#position;
    const goOn = (request: Req | null | undefined): void => {
      if (this.#closed) return;
      if (request === undefined || request === null) return this.#end(end);
      this.request = request;
      this.#position.restart();
      this.#openAfter(this.#attempts === 0 && lived >= AT_ONCE_AFTER_MS ? 0 : this.#backoff());
    };
    const decided = this.#try(() => ({ request: onGap({ token, request: this.request, end }) }));
    if (!decided) return;
    const { request } = decided;
    if (isPromise(request)) request.then(goOn, (error: unknown) => this.#fail(error));
    else goOn(request);
  }

  /** The first comes within the initial backoff, the others later and later. */
  #backoff(): number {
    const { initialBackoff, maxBackoff } = this.rules;
    const { random } = this.owner;
    if (this.#attempts === 0) return initialBackoff * random();
    return jittered(random, Math.min(initialBackoff * 2 ** Math.min(this.#attempts, 30), maxBackoff), 0.2);
  }

  #openAfter(delay: number): void {
    this.#attempts++;
    if (delay <= 0) return this.#open('resume');
    this.#cancelWait = this.owner.clock.after(delay, () => {
      this.#cancelWait = undefined;
      this.#open('resume');
    });
  }

  #open(why: 'first' | 'resume'): void {
    const request = this.#position.hasToken ? this.#nextRequest() : this.request;
    if (this.#closed) return;
    this.#call = this.#newCall();
    this.#start(this.#call, request as Req, why);
  }

  #newCall(): StreamCall<Msg, End> {
    const { begun, hasToken, withToken, since } = this.#position;
    const repeats = begun || hasToken ? new Repeats(withToken, since) : undefined;
    return new StreamCall<Msg, End>(this, repeats);
  }

  #start(call: StreamCall<Msg, End>, request: Req, why: 'first' | 'resume' | 'move'): void {
    const handle = this.owner.open(request, why, call);
    // The subscriber may leave while the call is opened, as an interceptor can make it.
    if (this.#closed) return handle.cancel();
    call.handle = handle;
    this.pump();
  }

  #nextRequest(): Req | undefined {
    return this.#try(() => this.rules.resume(this.request, this.#position.token));
  }

  #try<T>(run: () => T): T | undefined {
    try {
      return run();
    } catch (error) {
      this.#fail(error);
      return undefined;
    }
  }

  #fail(error: unknown): void {
    if (this.#closed) return;
    this.stop();
    this.owner.failed(error);
  }

  #end(end: End, note?: string): void {
    this.#close();
    this.owner.ended(end, note);
  }

  #endHandover(): Handover<Msg, End> | undefined {
    const handover = this.#handover;
    this.#handover = undefined;
    this.#stopWaiting();
    return handover;
  }

  #close(): void {
    this.#closed = true;
    this.#call = this.#handover = undefined;
    this.#stopWaiting();
  }

  #stopWaiting(): void {
    this.#cancelWait?.();
    this.#cancelWait = undefined;
  }
}

const REMEMBERED = `at most ${MAX_REMEMBERED} of ${MAX_REMEMBERED_LENGTH} characters together are remembered`;

/** A bookmark before the place where the stream is. */
function isEarly(call: { readonly behind: number }, { isBookmark }: { readonly isBookmark: boolean }): boolean {
  return isBookmark && call.behind > 0;
}

function isPromise<T>(value: T | Promise<T>): value is Promise<T> {
  return typeof (value as Promise<T> | undefined)?.then === 'function';
}
