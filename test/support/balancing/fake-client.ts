import { onTestFinished } from 'vitest';
import { Balancing } from '../../../libs/grpc-lb/src/core/balancing/balancing.js';
import { Attempt } from '../../../libs/grpc-lb/src/core/balancing/calls/attempt.js';
import type { Attempts } from '../../../libs/grpc-lb/src/core/balancing/calls/attempts.js';
import { type NoPick, Picker } from '../../../libs/grpc-lb/src/core/balancing/calls/picker.js';
import type { Visits } from '../../../libs/grpc-lb/src/core/balancing/calls/visits.js';
import { type Carrier, type Link, NO_LINK } from '../../../libs/grpc-lb/src/core/balancing/members/link.js';
import type { Member } from '../../../libs/grpc-lb/src/core/balancing/members/member.js';
import type { EventBody } from '../../../libs/grpc-lb/src/core/events.js';
import { effectiveLoadBalancing } from '../../../libs/grpc-lb/src/core/options/load-balancing.js';
import type { PolicyConfig } from '../../../libs/grpc-lb/src/core/options/policy-config.js';
import { OwnStall } from '../../../libs/grpc-lb/src/core/own-stall.js';
import type { CallInfo, Policy } from '../../../libs/grpc-lb/src/core/policy/policy.js';
import { seededRandom } from '../../../libs/grpc-lb/src/core/random.js';
import { Totals } from '../../../libs/grpc-lb/src/core/totals.js';
import { FakeClock } from '../time/fake-clock.js';

/** A connection that the test opens, fills and loses. */
export class FakeConnection implements Carrier {
  inFlight = 0;
  lost = false;
  full = false;

  constructor(readonly readyAt: number) {}

  callStarted(): void {}

  callAnswered(): void {}
}

export class FakeLink implements Link<FakeConnection> {
  serving = true;
  readonly notServing = null;
  readonly suspicion = undefined;
  readonly failure = null;
  readonly canGrow = false;
  readonly released = NO_LINK.released;
  readonly configure = NO_LINK.configure;
  readonly grow = NO_LINK.grow;
  readonly dialNow = NO_LINK.dialNow;
  readonly recycle = NO_LINK.recycle;
  readonly askReport = NO_LINK.askReport;
  readonly close = NO_LINK.close;
  readonly snapshot = NO_LINK.snapshot;
  failing = false;
  /** Whether a lost connection is replaced. */
  replaces = true;
  connections: FakeConnection[] = [];

  constructor(
    private readonly clock: FakeClock,
    readonly owner: Member<FakeConnection>,
  ) {}

  get usable(): boolean {
    return this.connections.length > 0;
  }

  get empty(): boolean {
    return !this.usable;
  }

  get size(): number {
    return this.connections.length;
  }

  get roomToCome(): number {
    return this.usable || this.failing || !this.replaces ? 0 : 100;
  }

  get hasRoom(): boolean {
    return this.withRoom() !== undefined;
  }

  withRoom(youngerThan = -1): FakeConnection | undefined {
    return this.connections.find(({ full, readyAt }) => !full && readyAt > youngerThan);
  }

  open(): void {
    this.failing = false;
    this.connections.push(new FakeConnection(this.clock.now()));
    this.owner.reachable();
    this.owner.update();
  }

  lose(): void {
    for (const connection of this.connections.splice(0)) connection.lost = true;
    this.owner.update();
  }

  /** Opens a new connection, then loses the old one. */
  replace(): void {
    const [old] = this.connections;
    this.open();
    this.connections.shift();
    old!.lost = true;
  }

  fail(): void {
    this.failing = true;
    this.owner.update();
  }

  drain(): void {
    this.replaces = false;
    this.lose();
  }
}

export class Picked extends Attempt<FakeConnection> {
  readonly report = undefined;

  constructor(
    attempts: Attempts<FakeConnection>,
    member: Member<FakeConnection>,
    connection: FakeConnection,
    policy: Policy,
    readonly call: CallInfo,
  ) {
    super(attempts, member, connection, policy);
  }
}

/** A client of endpoints named by letters: `a` is of priority 0, `b1` of priority 1. */
export class FakeClient {
  readonly clock = new FakeClock();
  /** In milliseconds since the epoch. */
  timeOfDay = 0;
  readonly links = new Map<string, FakeLink>();
  readonly events: EventBody[] = [];
  readonly totals = new Totals();
  readonly balancing: Balancing<FakeConnection>;
  picker!: Picker<FakeConnection, Picked, CallInfo>;

  constructor(names: string, policy: PolicyConfig = { name: 'least_request' }) {
    const { clock } = this;
    const environment = {
      clock,
      epoch: () => this.timeOfDay,
      random: seededRandom(1),
      loadBalancing: effectiveLoadBalancing({ policy }),
      zone: undefined,
      ownStall: new OwnStall(clock),
      totals: this.totals,
      emit: (event: EventBody) => void this.events.push(event),
    };
    this.balancing = new Balancing(environment, {
      connect: (member) => {
        const link = new FakeLink(clock, member);
        this.links.set(nameOf(member), link);
        return link;
      },
      changed: (balancing) => {
        const { attempts } = balancing;
        this.picker = new Picker(
          balancing,
          (member, connection, call, picks) => new Picked(attempts, member, connection, picks, call),
        );
      },
      released: () => {},
    });
    onTestFinished(() => this.balancing.close());
    this.list(names);
  }

  list(names: string): void {
    this.balancing.adopt(
      names.split(' ').map((name) => ({ address: { path: name }, priority: Number(name.slice(1) || 0) })),
    );
  }

  /** Opens a stream, or makes a call that does not end. */
  stream(call: CallInfo, visits?: Visits<FakeConnection>): Picked | NoPick {
    const picked = this.picker.pick(call, call, this.balancing.policies.common, false, visits);
    if (typeof picked !== 'string') picked.begin();
    return picked;
  }

  link(name: string): FakeLink {
    return this.links.get(name)!;
  }
}

export const nameOf = ({ key }: Member<FakeConnection>): string => key.slice('unix:'.length);
