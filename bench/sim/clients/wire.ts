import type { Cancel } from '../../../libs/grpc-lb/src/core/clock.js';
import type { LoadReport } from '../../../libs/grpc-lb/src/core/policy/load-report.js';
import type { Carrier, Link } from '../../../libs/grpc-lb/src/core/balancing/members/link.js';
import type { Member } from '../../../libs/grpc-lb/src/core/balancing/members/member.js';
import type { Server } from '../servers/server.js';

/** Replaces a client's connections to a server: it is up from the start, and carries any number of calls. */
export class Wire implements Link<Wire>, Carrier {
  inFlight = 0;
  readonly lost = false;
  usable = false;
  readonly serving = true;
  readonly notServing = null;
  readonly suspicion = undefined;
  readonly failing = false;
  readonly failure = null;
  readonly hasRoom = true;
  readonly roomToCome = 0;
  readonly canGrow = false;
  readonly size = 1;
  #drained = false;

  constructor(
    readonly server: Server,
    private readonly member: Member<Wire>,
    private readonly onUp: (wire: Wire, member: Member<Wire>) => void,
    private readonly ask: Link<Wire>['askReport'],
  ) {}

  /** Discovery no longer lists its server. */
  get empty(): boolean {
    return this.#drained;
  }

  open(): void {
    if (this.usable) return;
    this.usable = true;
    this.member.reachable();
    this.member.update();
    this.onUp(this, this.member);
  }

  withRoom(): Wire {
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

  callStarted(): void {}

  callAnswered(): void {}

  grow(): void {}

  dialNow(): void {}

  recycle(): void {}

  askReport(told: (report: LoadReport | undefined) => void): Cancel {
    return this.ask(told);
  }

  configure(): void {}

  close(): void {}

  snapshot(): [] {
    return [];
  }
}
