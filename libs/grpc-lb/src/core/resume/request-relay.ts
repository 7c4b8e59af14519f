import { RequestLog } from './request-log.js';
import type { TokenKey } from './token-key.js';

/** The sending side of a call. */
export interface RequestOutlet<Req> {
  /** Whether it takes a request now. Call `pump` of the relay when it does again. */
  readonly ready: boolean;
  send(request: Req): void;
  /** No request follows. */
  halfClose(): void;
}

/** A call, and how far it has got with the requests. */
class Leg<Req> {
  /** The number of the next request that it gets. */
  next = 0;
  closed = false;

  constructor(
    readonly outlet: RequestOutlet<Req>,
    public opening: Req | undefined,
    /** Whether it has reached a server. */
    public placed: boolean,
  ) {}
}

/** How much waits at most: another request is taken while it is less. */
export interface RelayLimits {
  readonly requests: number;
  readonly bytes: number;
}

/**
 * Sends the requests of one subscriber over the calls that carry its stream, one after the other. A new call gets the
 * request that opens it, then the requests that are not acknowledged, then the others. At each time exactly one call gets
 * requests: during a move the new one, as soon as it has reached a server. If the move fails, the old call gets what only
 * the new one has got.
 */
export class RequestRelay<Req> {
  readonly #log = new RequestLog<Req>();
  #present: Leg<Req> | undefined;
  #moving: Leg<Req> | undefined;
  #complete = false;

  constructor(
    private readonly cumulative: boolean,
    private readonly limits: RelayLimits,
  ) {}

  get hasRoom(): boolean {
    return this.#log.size < this.limits.requests && this.#log.bytes < this.limits.bytes;
  }

  /** Requests that are not sent yet, or not acknowledged. */
  get size(): number {
    return this.#log.size;
  }

  /** Their length on the wire. */
  get bytes(): number {
    return this.#log.bytes;
  }

  /** Returns whether no other request with this key waits for its acknowledgment. */
  add(request: Req, key: TokenKey | undefined, bytes: number): boolean {
    const added = this.#log.append(request, key, bytes);
    this.pump();
    return added;
  }

  /** The first request has come, and it opens calls: also those that are open already. */
  begin(opening: Req): void {
    for (const leg of [this.#present, this.#moving]) if (leg) leg.opening = opening;
    this.pump();
  }

  /** No request follows. */
  complete(): void {
    this.#complete = true;
    this.pump();
  }

  acknowledge(key: TokenKey): void {
    this.#log.acknowledge(key, this.cumulative);
  }

  /** A call is about to be opened, with this request before all others; undefined if there is none, or none yet. */
  open(outlet: RequestOutlet<Req>, opening: Req | undefined, moving: boolean): void {
    const leg = new Leg(outlet, opening, !moving);
    if (moving) this.#moving = leg;
    else this.#present = leg;
  }

  /** The call has reached a server. */
  placed(outlet: RequestOutlet<Req>): void {
    if (this.#moving?.outlet !== outlet) return;
    this.#moving.placed = true;
    this.pump();
  }

  /** The new call of a move carries the stream. */
  moved(): void {
    const leg = this.#moving!;
    leg.placed = true;
    this.#present = leg;
    this.#moving = undefined;
    this.#log.settle(leg.next);
    this.pump();
  }

  /** The new call of a move has not taken over. */
  stayed(): void {
    this.#moving = undefined;
    this.pump();
  }

  /** No call carries the stream. */
  interrupted(): void {
    this.#present = this.#moving = undefined;
  }

  /** Sends what can be sent. */
  pump(): void {
    const leg = this.#moving?.placed ? this.#moving : this.#present;
    if (!leg || leg.closed) return;
    const { outlet } = leg;
    while (outlet.ready && this.#receives(leg)) {
      if (leg.opening !== undefined) {
        const { opening } = leg;
        leg.opening = undefined;
        outlet.send(opening);
        continue;
      }
      const entry = this.#log.from(leg.next);
      if (!entry) {
        if (!this.#complete) return;
        leg.closed = true;
        return outlet.halfClose();
      }
      leg.next = entry.number + 1;
      entry.sent = true;
      // During a move it is kept for the old call.
      if (entry.key === undefined && leg === this.#present) this.#log.remove(entry);
      outlet.send(entry.request);
    }
  }

  /** Sending may end the call, and the move. */
  #receives(leg: Leg<Req>): boolean {
    return !leg.closed && (this.#moving?.placed ? leg === this.#moving : leg === this.#present);
  }
}
