import type { Member } from '../../../libs/grpc-lb/src/core/balancing/members/member.js';
import type { MoveReason, PlacedStream } from '../../../libs/grpc-lb/src/core/streams/placed-stream.js';
import type { Visits } from '../../../libs/grpc-lb/src/core/balancing/calls/visits.js';
import type { Clock } from '../../../libs/grpc-lb/src/core/clock.js';
import { jittered, type Random } from '../../../libs/grpc-lb/src/core/random.js';
import type { StreamHome } from '../../../libs/grpc-lb/src/core/streams/stream-home.js';
import type { StreamBehavior } from './stream-scenario.js';
import type { PlacedStreamCall } from './placed-stream-call.js';
import type { StreamWire } from './stream-wire.js';

/** Milliseconds from the opening of a stream to its first message, which is its first token. */
const FIRST_MESSAGE_MS = 100;
/** Milliseconds for which the old and the new stream are open. */
const HANDOVER_MS = 50;

/** The client of a subscription. */
export interface SubscribedClient {
  readonly clock: Clock;
  readonly random: Random;
  readonly behavior: StreamBehavior;
  readonly placement: StreamHome<Member<StreamWire>>;
  /** Called when a stream has moved. */
  readonly moved: (stream: Subscription) => void;
  /** Opens a stream; undefined if there is no endpoint for it. */
  place(visits?: Pick<Visits<StreamWire>, 'leaving' | 'to'>): PlacedStreamCall | undefined;
  /** Opens the stream as soon as there is an endpoint. */
  wait(stream: Subscription): void;
}

/** What one subscriber wants: a stream that is opened again when it breaks, and may move. */
export class Subscription implements PlacedStream<Member<StreamWire>> {
  moves = 0;
  #attempt: PlacedStreamCall | undefined;
  #next: PlacedStreamCall | undefined;
  #openedAt = 0;
  #over = false;

  constructor(private readonly client: SubscribedClient) {}

  get endpoint(): Member<StreamWire> {
    return this.#attempt!.endpoint;
  }

  get movable(): boolean {
    const { resumable } = this.client.behavior;
    return resumable && !this.#next && this.client.clock.now() - this.#openedAt >= FIRST_MESSAGE_MS;
  }

  get moving(): boolean {
    return this.#next !== undefined;
  }

  /** Opens a stream, or waits for an endpoint. */
  open(): void {
    if (this.#over) return;
    const attempt = this.client.place();
    if (!attempt) return this.client.wait(this);
    this.#begin(attempt);
    this.client.placement.opened(this);
  }

  move(reason: MoveReason, to?: Member<StreamWire>): void {
    const next = this.client.place({ leaving: this.endpoint, to });
    if (!next) return;
    this.#next = next;
    this.client.clock.after(HANDOVER_MS, () => {
      if (this.#next !== next) return;
      this.#next = undefined;
      const old = this.#attempt!;
      this.#begin(next);
      old.close('refused');
      this.moves++;
      this.client.moved(this);
      this.client.placement.moved(this, old.endpoint, reason);
    });
  }

  /** Its server has died, or ends it; its caller begins again at once. */
  broken(server: { readonly alive: boolean }): void {
    if (this.#next && !this.#next.connection.server.alive) {
      this.#next.close('failed');
      this.#next = undefined;
    }
    if (!this.#attempt || this.#attempt.connection.server !== server) return;
    this.#end(server.alive ? 'refused' : 'failed');
    this.client.clock.after(this.client.random() * 10, () => this.open());
  }

  /** The subscriber has left. */
  cancel(): void {
    this.#over = true;
    if (this.#attempt) this.#end('refused');
  }

  #begin(attempt: PlacedStreamCall): void {
    const { clock, random, behavior } = this.client;
    this.#attempt = attempt;
    this.#openedAt = clock.now();
    if (behavior.maxAge === undefined) return;
    clock.after(jittered(random, behavior.maxAge, 0.1), () => {
      if (this.#attempt === attempt) this.broken(attempt.connection.server);
    });
  }

  #end(how: 'refused' | 'failed'): void {
    this.client.placement.closed(this);
    this.#next?.close('refused');
    this.#next = undefined;
    this.#attempt!.close(how);
    this.#attempt = undefined;
  }
}
