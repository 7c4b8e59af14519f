import * as grpc from '@grpc/grpc-js';
import { seededRandom } from '../../../libs/grpc-lb/src/core/random.js';
import type { ClientSnapshot } from '../../../libs/grpc-lb/src/core/snapshot.js';
import { GrpcLbClientHandle, type LoadBalancingOptions } from '../../../libs/grpc-lb/src/index.js';
import { MixedCalls, type NestStub } from './mixed-calls.js';
import { OpenStreams } from './open-streams.js';
import { RestlessServers } from './restless-servers.js';
import { type BareStub, ECHO_PROTO } from './service.js';

/** Calls from one restart of a server to the next. */
const RESTART_EVERY = 500;

const RETRY: LoadBalancingOptions = { retry: { attemptTimeout: 2000, initialBackoff: 5, maxBackoff: 50 } };
const HEDGE: LoadBalancingOptions = { ...RETRY, hedge: { delay: 20, methods: { Say: true, Repeat: true } } };

/** Calls of all kinds from four clients (with retries or hedging, compressed or not) to restless servers. */
export class CallSoak {
  readonly servers: RestlessServers;
  readonly calls: MixedCalls;
  readonly #clients: readonly GrpcLbClientHandle[];

  private constructor(
    servers: RestlessServers,
    readonly streams: OpenStreams,
    seed: number,
  ) {
    this.servers = servers;
    this.#clients = [RETRY, HEDGE].flatMap((loadBalancing, i) =>
      [grpc.compressionAlgorithms.identity, grpc.compressionAlgorithms.gzip].map(
        (algorithm) =>
          new GrpcLbClientHandle(
            `CLIENT_${i}_${algorithm}`,
            {
              target: servers.target,
              package: 'echo.v1',
              protoPath: ECHO_PROTO,
              loader: { defaults: true },
              loadBalancing,
              channelOptions: { 'grpc.default_compression_algorithm': algorithm },
            },
            () => {},
          ),
      ),
    );
    this.calls = new MixedCalls(
      this.#clients.map((client) => client.getService<NestStub>('Echo')),
      this.#clients.map((client) => client.getClientByServiceName<BareStub>('Echo')),
      seed,
    );
  }

  static async start(seed: number): Promise<CallSoak> {
    const streams = new OpenStreams();
    return new CallSoak(await new RestlessServers(seededRandom(seed)).start(), streams, seed);
  }

  /** Makes the calls from `first` on, and waits until nothing is under way. */
  async run(first: number, count: number): Promise<void> {
    await this.calls.run(first, count, (call) => {
      if (call % RESTART_EVERY === RESTART_EVERY - 1) this.servers.disturb();
    });
    await this.servers.settle();
    const idle = (): boolean =>
      this.inFlight === 0 && this.streams.ofClients + this.streams.ofServers === 0 && this.allConnected;
    for (let waited = 0; !idle() && waited < 30_000; waited += 20)
      await new Promise((resolve) => setTimeout(resolve, 20));
  }

  get snapshots(): readonly ClientSnapshot[] {
    return this.#clients.map((client) => client.snapshot());
  }

  /** Calls in the ledgers and the queues of the clients, by any count. */
  get inFlight(): number {
    return this.snapshots.reduce((sum, { inFlight, pending, endpoints }) => {
      const counts = endpoints.flatMap((endpoint) => [
        endpoint.inFlight,
        ...endpoint.connections.map((connection) => connection.inFlight),
      ]);
      return sum + inFlight + pending + counts.reduce((all, each) => all + Math.abs(each), 0);
    }, 0);
  }

  get allConnected(): boolean {
    return this.snapshots.every(({ endpoints }) =>
      endpoints.every(({ connections }) => connections.length === 1 && connections[0]!.state === 'ready'),
    );
  }

  close(): void {
    for (const client of this.#clients) client.close();
    this.servers.stop();
    this.streams.stop();
  }
}
