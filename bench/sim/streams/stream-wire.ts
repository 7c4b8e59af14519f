import { type Carrier, type Link, NO_LINK } from '../../../libs/grpc-lb/src/core/balancing/members/link.js';
import type { Member } from '../../../libs/grpc-lb/src/core/balancing/members/member.js';
import type { StreamServer } from './stream-server.js';

/** Replaces a client's connections to a backend: it is up while the backend runs, and carries any number of streams. */
export class StreamWire implements Link<StreamWire>, Carrier {
  inFlight = 0;
  lost = false;
  usable = false;
  readonly serving = true;
  readonly notServing = null;
  readonly suspicion = undefined;
  readonly failure = null;
  readonly hasRoom = true;
  readonly roomToCome = 0;
  readonly canGrow = false;
  readonly size = 1;
  readonly callStarted = (): void => {};
  readonly callAnswered = (): void => {};
  readonly grow = NO_LINK.grow;
  readonly dialNow = NO_LINK.dialNow;
  readonly recycle = NO_LINK.recycle;
  readonly askReport = NO_LINK.askReport;
  readonly configure = NO_LINK.configure;
  readonly close = NO_LINK.close;
  readonly snapshot = NO_LINK.snapshot;
  #drained = false;

  constructor(
    readonly server: StreamServer,
    private readonly member: Member<StreamWire>,
  ) {}

  get failing(): boolean {
    return !this.server.alive;
  }

  get empty(): boolean {
    return this.#drained;
  }

  open(): void {
    this.#drained = false;
    this.serverChanged();
  }

  /** The backend has died, or is back. */
  serverChanged(): void {
    const usable = this.server.alive && !this.#drained;
    if (usable === this.usable) return;
    this.usable = usable;
    this.lost = !usable;
    if (usable) this.member.reachable();
    this.member.update();
  }

  withRoom(): StreamWire {
    return this;
  }

  released(): void {
    if (this.#drained) this.member.update();
  }

  drain(): void {
    this.usable = false;
    this.#drained = true;
    this.member.update();
  }
}
