import type { Clock } from '../../../libs/grpc-lb/src/core/clock.js';
import type { Endpoint } from '../../../libs/grpc-lb/src/core/endpoint.js';
import type {
  EndpointAnswer,
  EndpointListener,
  EndpointSource,
} from '../../../libs/grpc-lb/src/core/endpoint-source.js';
import type { EventBody, LbEvent } from '../../../libs/grpc-lb/src/core/events.js';
import {
  effectiveLoadBalancing,
  type LoadBalancingOptions,
} from '../../../libs/grpc-lb/src/core/options/load-balancing.js';
import { seededRandom } from '../../../libs/grpc-lb/src/core/random.js';
import { registerEndpointSource } from '../../../libs/grpc-lb/src/discovery/index.js';
import { ClientContext } from '../../../libs/grpc-lb/src/grpc/context/client-context.js';

let schemes = 0;

/** A source that the test drives. Its reports after `stop` still reach the listener that started it. */
export class FakeSource {
  readonly target: string;
  started = 0;
  stopped = 0;
  refreshed = 0;
  #listener: EndpointListener | undefined;

  constructor() {
    const scheme = `fake${++schemes}`;
    this.target = `${scheme}:///orders`;
    registerEndpointSource(scheme, (): EndpointSource => ({
      start: (listener) => {
        this.started++;
        this.#listener = listener;
      },
      refresh: () => void this.refreshed++,
      stop: () => void this.stopped++,
    }));
  }

  /** A list of these ports of one host. */
  name(ports: readonly number[], answer?: EndpointAnswer): void {
    this.list(ports.map(onPort), answer);
  }

  list(endpoints: readonly Endpoint[], answer?: EndpointAnswer): void {
    this.#listener!.onEndpoints(endpoints, answer);
  }

  fail(message = 'out of order'): void {
    this.failWith(new Error(message));
  }

  failWith(error: Error): void {
    this.#listener!.onError(error);
  }

  warn(warning: string): void {
    this.#listener!.onWarning(warning);
  }
}

export function onPort(port: number): Endpoint {
  return { address: { host: '10.0.0.1', port } };
}

/** A context that passes its events to the test at once. */
export class RecordingContext extends ClientContext {
  readonly events: EventBody[] = [];

  constructor(
    targets: readonly string[],
    clock: Clock,
    loadBalancing: LoadBalancingOptions = {},
    onEvent?: (event: LbEvent) => void,
  ) {
    super({
      name: 'ORDERS',
      targets,
      loadBalancing: effectiveLoadBalancing(loadBalancing),
      onEvent,
      clock,
      random: seededRandom(1),
    });
  }

  override emit(event: EventBody): void {
    // The constructor of the base class may already emit events.
    this.events?.push(event);
  }

  /** Those of one kind. */
  told<T extends EventBody['type']>(type: T): Extract<EventBody, { type: T }>[] {
    return this.events.filter((event): event is Extract<EventBody, { type: T }> => event.type === type);
  }
}
