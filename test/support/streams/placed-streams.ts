import { FakeClock } from '../time/fake-clock.js';
import { seededRandom } from '../../../libs/grpc-lb/src/core/random.js';
import type { MoveReason, PlacedStream, StreamHost } from '../../../libs/grpc-lb/src/core/streams/placed-stream.js';
import { type RebalanceRule, StreamPlacement } from '../../../libs/grpc-lb/src/core/streams/stream-placement.js';

/** An endpoint. */
export class Host implements StreamHost {
  streams = 0;
  weight = 1;
  warmth = 1;
  failureFactor = 1;
  joinedAt: number | undefined;
  leaves: MoveReason | undefined;

  constructor(readonly name: string) {}
}

/** A stream that was asked to move. */
export interface Move {
  readonly at: number;
  readonly from: Host;
  readonly to: Host | undefined;
  readonly reason: MoveReason;
}

/** A client on a virtual clock, whose streams move as soon as they are asked to. */
export class Client {
  readonly clock = new FakeClock();
  readonly random = seededRandom(7);
  rebalance: RebalanceRule | undefined = { interval: 10_000, streamsPerMove: 30, threshold: 0.1 };
  groups: Host[][];
  readonly placement = new StreamPlacement<Host>(this);
  readonly moves: Move[] = [];
  readonly told: unknown[] = [];

  constructor(...groups: Host[][]) {
    this.groups = groups;
  }

  leaving(endpoint: Host, reason: MoveReason, streams: number): void {
    this.told.push([endpoint, reason, streams]);
  }

  moved(from: Host, to: Host, reason: MoveReason): void {
    this.told.push([from, to, reason]);
  }

  open(endpoint: Host, n = 1, keyed = false): Stream[] {
    return Array.from({ length: n }, () => {
      const stream = new Stream(this, endpoint);
      stream.keyed = keyed;
      endpoint.streams++;
      this.placement.opened(stream);
      return stream;
    });
  }

  close(...streams: Stream[]): void {
    for (const stream of streams) {
      stream.endpoint.streams--;
      this.placement.closed(stream);
    }
  }

  /** Where a pick takes a stream that leaves without a target. */
  get emptiest(): Host {
    return this.groups[0]!.toSorted((a, b) => a.streams - b.streams)[0]!;
  }
}

/** A stream of a client. */
export class Stream implements PlacedStream<Host> {
  movable = true;
  moving = false;
  keyed = false;
  home: Host | undefined;
  asked = 0;
  /** Whether its moves do not come to an end. */
  stuck = false;
  /** Milliseconds that a move takes; 0: none. */
  takes = 0;

  constructor(
    private readonly client: Client,
    public endpoint: Host,
  ) {}

  move(reason: MoveReason, to?: Host): void {
    const { client, endpoint: from } = this;
    this.asked++;
    client.moves.push({ at: client.clock.now(), from, to, reason });
    if (this.stuck) return;
    const target = to ?? client.emptiest;
    // Both are open during a move.
    target.streams++;
    if (this.takes === 0) return this.#arrive(target, reason);
    this.movable = false;
    this.moving = true;
    client.clock.after(this.takes, () => this.#arrive(target, reason));
  }

  #arrive(target: Host, reason: MoveReason): void {
    const { endpoint: from } = this;
    this.movable = true;
    this.moving = false;
    this.endpoint = target;
    from.streams--;
    this.client.placement.moved(this, from, reason);
  }
}

export const hosts = (n: number): Host[] => Array.from({ length: n }, (_, i) => new Host(`host ${i}`));

export const counts = (all: readonly Host[]): number[] => all.map(({ streams }) => streams);
