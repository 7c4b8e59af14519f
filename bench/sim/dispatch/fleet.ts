import type { EffectiveLoadBalancing } from '../../../libs/grpc-lb/src/core/options/load-balancing.js';
import { jittered } from '../../../libs/grpc-lb/src/core/random.js';
import type { Call } from '../call.js';
import type { CallModel } from '../clients/call-model.js';
import { SimClient } from '../clients/sim-client.js';
import type { EventQueue } from '../engine/event-queue.js';
import { randomFor } from '../engine/seeds.js';
import { clientAt, placeOf, type Places } from '../places.js';
import type { PolicyFactory } from '../subjects.js';
import type { Server } from '../servers/server.js';
import type { CallListener, Dispatcher } from './dispatcher.js';
import type { Subset } from './subsets.js';

export interface FleetOptions {
  readonly clients: number;
  readonly createPolicy: PolicyFactory;
  readonly balancing: EffectiveLoadBalancing;
  readonly calls: CallModel;
  readonly subset: Subset | undefined;
  readonly delay: number;
  readonly places: Places;
  readonly seed: number;
}

/** A change of discovery reaches each client within this many milliseconds. */
const DISCOVERY_MS = 1000;

/** Clients that know nothing about each other. */
export class Fleet implements Dispatcher {
  readonly #clients: SimClient[];
  /** The servers that each client connects to; none if all connect to all. */
  readonly #subsets: readonly ReturnType<Subset>[] | undefined;
  #started = false;

  constructor(
    private readonly queue: EventQueue,
    private readonly options: FleetOptions,
    listener: CallListener,
  ) {
    const { balancing, delay, places, createPolicy, calls, seed, clients, subset } = options;
    this.#subsets = subset && Array.from({ length: clients }, (_, i) => subset(i, clients));
    this.#clients = Array.from({ length: clients }, (_, i) => {
      const random = randomFor(seed, 'client', i);
      const policy = createPolicy(random, queue);
      const zone = places.clientZone(placeOf(i, clients));
      return new SimClient({ queue, balancing, delay, places, zone, index: i, listener }, policy, calls, random);
    });
  }

  dispatch(call: Call): void {
    this.#clients[clientAt(call.who, this.#clients.length)]!.call(call);
  }

  update(servers: readonly Server[]): void {
    const random = randomFor(this.options.seed, 'discovery', this.queue.now());
    this.#clients.forEach((client, i) => {
      const list = this.#subsets?.[i]?.(servers) ?? servers;
      if (this.#started) this.queue.after(jittered(random, DISCOVERY_MS / 2, 1), () => client.update(list));
      else client.update(list);
    });
    this.#started = true;
  }
}
