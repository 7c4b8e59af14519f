import { EventEmitter } from 'node:events';
import { status as Status } from '@grpc/grpc-js';
import { isObservable } from 'rxjs';
import { GrpcLbArgumentError } from '../../core/errors.js';
import { shown } from '../../core/options/validation.js';
import { RequestRelay } from '../../core/resume/request-relay.js';
import type { CallArguments } from '../stub/call-arguments.js';
import { type Writable, writeRequests } from '../stub/request-stream.js';
import { serviceError } from '../stub/service-error.js';
import type { RequestStream } from '../service-types.js';
import type { Carrier } from './carrier.js';
import type { ClientCarrier } from './client-carrier.js';
import { DirectCarrier } from './direct-carrier.js';
import { ResumableCall, type StreamTarget } from './resumable-call.js';
import type { Opening, ReplayRules } from './resumable-rules.js';
import type { Sink } from './sink.js';

/**
 * One subscription of a resumable method with a stream of requests. The requests are read once; each new call gets those
 * that are not acknowledged.
 */
export class ReplayingCall extends ResumableCall {
  readonly #replay: ReplayRules;
  readonly #relay: RequestRelay<unknown>;
  readonly #canWait: boolean;
  readonly #room = new EventEmitter();
  readonly #opening: Opening = { first: undefined, request: undefined };
  #stopRequests: (() => void) | undefined;

  constructor(target: StreamTarget, args: CallArguments, requests: RequestStream<unknown>, sink: Sink) {
    super(target, args, requests, sink);
    this.#replay = target.rules.replay!;
    const { cumulative, maxPending: most, maxPendingBytes: bytes } = this.#replay;
    this.#relay = new RequestRelay(cumulative, { requests: most, bytes });
    this.#canWait = !isObservable(requests);
  }

  override get movable(): boolean {
    return this.#opening.first !== undefined && super.movable;
  }

  /** A message counts: the requests that it acknowledges need not be sent again. */
  taken(message: unknown): void {
    for (const key of this.#replay.acknowledged(message)) this.#relay.acknowledge(key);
    this.#tellRoom();
  }

  override moved(): void {
    super.moved();
    this.#relay.moved();
    this.#tellRoom();
  }

  override stayed(): void {
    super.stayed();
    this.#relay.stayed();
    this.#tellRoom();
  }

  override interrupted(): void {
    super.interrupted();
    this.#relay.interrupted();
  }

  override placed(carrier: Carrier): void {
    super.placed(carrier);
    this.#relay.placed(carrier);
    this.#tellRoom();
  }

  override drained(): void {
    this.#relay.pump();
    this.#tellRoom();
  }

  protected override begin(): void {
    this.startStream(this.target.rules, this.#opening);
    if (this.isDone) return;
    const requests: Writable = {
      write: (request) => this.#write(request),
      end: () => this.runInScope(() => this.#relay.complete()),
      once: (event, listener) => this.#room.once(event, listener),
      off: (event, listener) => this.#room.off(event, listener),
    };
    const stop = writeRequests(this.request as RequestStream<unknown>, requests, (error) => this.giveUp(error));
    // Requests that arrive at once may have ended it already.
    if (this.isDone) stop();
    else this.#stopRequests = stop;
  }

  protected override startCall(carrier: Carrier, opening: unknown, given: CallArguments, moving: boolean): void {
    const { channel, client, method } = this.target;
    // Keys come from single requests only.
    const args = { ...given, metadata: this.target.keyed(undefined, given.metadata) };
    this.#relay.open(carrier, (opening as Opening).request, moving);
    if (carrier instanceof DirectCarrier) carrier.startRequests(channel!, method, args);
    else (carrier as ClientCarrier).startRequests(client, method, args);
    this.#relay.pump();
  }

  protected override finished(): void {
    this.#stopRequests?.();
    this.#room.removeAllListeners();
  }

  /** Returns whether there is room for another request. */
  #write(request: unknown): boolean {
    this.runInScope(() => {
      if (this.isDone) return;
      try {
        this.#add(request);
      } catch (error) {
        this.failed(error);
      }
    });
    return !this.#canWait || this.#relay.hasRoom;
  }

  #add(request: unknown): void {
    const key = this.#replay.key(request);
    const opening = this.#opening;
    if (opening.first === undefined) {
      opening.first = request;
      if (key === undefined) {
        opening.request = request;
        return this.#relay.begin(request);
      }
    }
    if (!this.#relay.hasRoom) return this.failed(this.#full);
    if (!this.#relay.add(request, key, this.#lengthOf(request))) {
      throw new GrpcLbArgumentError(
        `${this.target.rules.subject}: replay.key returns ${shown(key)} for two requests that are not acknowledged; ` +
          'return a key that is unique within the stream, or undefined for requests that need not be replayed',
      );
    }
  }

  /** What cannot be encoded is reported when it is sent. */
  #lengthOf(request: unknown): number {
    try {
      return this.target.method.requestSerialize(request).length;
    } catch {
      return 0;
    }
  }

  get #full(): Error {
    const { subject } = this.target.rules;
    const { maxPending, maxPendingBytes } = this.#replay;
    const { size, bytes } = this.#relay;
    const waiting =
      size < maxPending
        ? `${bytes} bytes of requests wait to be sent or acknowledged (replay.maxPendingBytes ${maxPendingBytes})`
        : `${maxPending} requests wait to be sent or acknowledged (replay.maxPending)`;
    const details = `${subject}: ${waiting}; pass an iterable, which can wait, or send less`;
    return serviceError({ code: Status.RESOURCE_EXHAUSTED, details });
  }

  #tellRoom(): void {
    if (this.#relay.hasRoom) this.#room.emit('drain');
  }
}
