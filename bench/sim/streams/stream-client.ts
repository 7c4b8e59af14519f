import { Balancing, type BalancingOwner } from '../../../libs/grpc-lb/src/core/balancing/balancing.js';
import { Picker } from '../../../libs/grpc-lb/src/core/balancing/calls/picker.js';
import { NO_VISITS, type Visits } from '../../../libs/grpc-lb/src/core/balancing/calls/visits.js';
import type { Member } from '../../../libs/grpc-lb/src/core/balancing/members/member.js';
import type { EffectiveLoadBalancing } from '../../../libs/grpc-lb/src/core/options/load-balancing.js';
import { OwnStall } from '../../../libs/grpc-lb/src/core/own-stall.js';
import type { CallInfo } from '../../../libs/grpc-lb/src/core/policy/policy.js';
import type { Random } from '../../../libs/grpc-lb/src/core/random.js';
import type { StreamPlacement } from '../../../libs/grpc-lb/src/core/streams/stream-placement.js';
import { Totals } from '../../../libs/grpc-lb/src/core/totals.js';
import type { EventQueue } from '../engine/event-queue.js';
import { PlacedStreamCall } from './placed-stream-call.js';
import type { StreamBehavior } from './stream-scenario.js';
import type { StreamServer } from './stream-server.js';
import { StreamWire } from './stream-wire.js';
import type { SubscribedClient, Subscription } from './subscription.js';

const WATCH: CallInfo = Object.freeze({ method: '/sim.v1.Lab/Watch', stream: true, lasting: true });

/** One client: the balancer of this package, and its placement of streams, with wires instead of connections. */
export class StreamClient implements BalancingOwner<StreamWire>, SubscribedClient {
  readonly #balancing: Balancing<StreamWire>;
  #picker!: Picker<StreamWire, PlacedStreamCall, CallInfo>;
  #servers: ReadonlyMap<string, StreamServer> = new Map();
  readonly #wires = new Map<StreamServer, StreamWire>();
  readonly #waiting = new Set<Subscription>();

  constructor(
    readonly clock: EventQueue,
    readonly random: Random,
    readonly behavior: StreamBehavior,
    loadBalancing: EffectiveLoadBalancing,
    readonly moved: (stream: Subscription) => void,
  ) {
    this.#balancing = new Balancing(
      {
        clock,
        epoch: () => clock.now(),
        random,
        loadBalancing,
        zone: undefined,
        // Virtual time never stalls.
        ownStall: new OwnStall(clock),
        totals: new Totals(),
        emit: () => {},
      },
      this,
    );
  }

  get placement(): StreamPlacement<Member<StreamWire>> {
    return this.#balancing.streams;
  }

  /** Discovery lists these. */
  update(servers: readonly StreamServer[]): void {
    this.#servers = new Map(servers.map((server) => [server.key, server]));
    this.#balancing.adopt(servers.map(({ index }) => ({ address: { host: `10.0.0.${index}`, port: 50_051 } })));
  }

  serverChanged(server: StreamServer): void {
    this.#wires.get(server)?.serverChanged();
  }

  connect(member: Member<StreamWire>): StreamWire {
    const server = this.#servers.get(member.key)!;
    const wire = new StreamWire(server, member);
    this.#wires.set(server, wire);
    return wire;
  }

  changed(balancing: Balancing<StreamWire>): void {
    const { attempts } = balancing;
    this.#picker = new Picker(
      balancing,
      (member, wire, call, policy) => new PlacedStreamCall(attempts, member, wire, call, policy),
    );
    if (this.#waiting.size === 0 || balancing.condition.state !== 'ready') return;
    const all = [...this.#waiting];
    this.#waiting.clear();
    // After the change has been published.
    this.clock.after(0, () => {
      for (const each of all) each.open();
    });
  }

  released(): void {
    // No stream waits for room.
  }

  /** Opens a stream; undefined if there is no endpoint for it. */
  place(visits: Pick<Visits<StreamWire>, 'leaving' | 'to'> = {}): PlacedStreamCall | undefined {
    const policy = this.#balancing.policies.common;
    const picked = this.#picker.pick(WATCH, WATCH, policy, false, { ...NO_VISITS, ...visits });
    return typeof picked === 'string' ? undefined : picked.open(this.clock.now());
  }

  wait(stream: Subscription): void {
    this.#waiting.add(stream);
  }

  close(): void {
    this.#balancing.close();
  }
}
