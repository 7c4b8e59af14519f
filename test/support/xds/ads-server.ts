import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import * as grpc from '@grpc/grpc-js';
import { loadSync, type MessageTypeDefinition } from '@grpc/proto-loader';
import { closeWithTest } from '../run/close-with-test.js';
import { patiently } from '../time/patience.js';

/** The protos of Envoy, as the reference client of xDS for Node has them. */
const deps = join(dirname(createRequire(import.meta.url).resolve('@grpc/grpc-js-xds/package.json')), 'deps');
const definitions = loadSync(
  [
    'envoy/service/discovery/v3/ads.proto',
    'envoy/config/listener/v3/listener.proto',
    'envoy/config/route/v3/route.proto',
    'envoy/config/cluster/v3/cluster.proto',
    'envoy/config/endpoint/v3/endpoint.proto',
    'envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager.proto',
    'envoy/extensions/filters/http/router/v3/router.proto',
    'envoy/extensions/load_balancing_policies/wrr_locality/v3/wrr_locality.proto',
    'xds/type/v3/typed_struct.proto',
  ],
  {
    keepCase: true,
    longs: String,
    enums: String,
    defaults: true,
    oneofs: true,
    includeDirs: ['envoy-api', 'xds', 'googleapis', 'protoc-gen-validate'].map((dir) => join(deps, dir)),
  },
);
const service = definitions['envoy.service.discovery.v3.AggregatedDiscoveryService'] as grpc.ServiceDefinition;

const assignmentType = definitions['envoy.config.endpoint.v3.ClusterLoadAssignment'] as MessageTypeDefinition<
  object,
  object
>;

/** By Envoy's own protos, as everything that this server says. */
export function encodeAssignment(resource: object): Buffer {
  return assignmentType.serialize(resource);
}

const responseType = definitions['envoy.service.discovery.v3.DiscoveryResponse'] as MessageTypeDefinition<
  object,
  object
>;

export function encodeResponse(response: object): Buffer {
  return responseType.serialize(response);
}

const TYPES = {
  lds: 'type.googleapis.com/envoy.config.listener.v3.Listener',
  rds: 'type.googleapis.com/envoy.config.route.v3.RouteConfiguration',
  cds: 'type.googleapis.com/envoy.config.cluster.v3.Cluster',
  eds: 'type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment',
} as const;
export type XdsType = keyof typeof TYPES;
const typeOf = (url: string): XdsType | undefined =>
  (Object.keys(TYPES) as XdsType[]).find((type) => TYPES[type] === url);

/** A resource, or bytes to send in place of one. */
type Resource = Readonly<Record<string, unknown>>;

/** The requests of a client in order of arrival. */
export interface DiscoveryRequest {
  readonly type: XdsType | undefined;
  /** Counts the streams since the start of the server, from 1. */
  readonly stream: number;
  readonly node: {
    readonly id: string;
    readonly cluster: string;
    readonly locality: unknown;
    readonly metadata: unknown;
    readonly user_agent_name: string;
    readonly client_features: readonly string[];
  } | null;
  readonly resource_names: readonly string[];
  readonly version_info: string;
  readonly response_nonce: string;
  readonly error_detail: { readonly code: number; readonly message: string } | null;
  readonly metadata: grpc.Metadata;
}

type IncomingRequest = Omit<DiscoveryRequest, 'type'> & { readonly type_url: string };

interface Subscription {
  names: readonly string[];
  nonce: string;
}

interface Stream {
  readonly id: number;
  readonly call: grpc.ServerDuplexStream<IncomingRequest, unknown>;
  readonly subscriptions: Map<XdsType, Subscription>;
}

/**
 * A control plane: the state-of-the-world variant of the aggregated discovery service, with Envoy's own protos. Each
 * `set` is pushed at once to every stream that has asked for the resource.
 */
export class AdsServer {
  port = 0;
  readonly requests: DiscoveryRequest[] = [];
  /** Responses so far. */
  pushes = 0;
  /** A control plane that is up, takes requests, and never answers. */
  mute = false;
  /**
   * Like the cache of go-control-plane: a client with another version than the server gets a response at once, also after
   * a NACK, which has the previous version.
   */
  asCache = false;
  readonly #resources = new Map<XdsType, Map<string, Resource>>();
  readonly #streams = new Set<Stream>();
  readonly #watchers = new Set<() => void>();
  readonly #versions = new Map<XdsType, number>();
  #server: grpc.Server | undefined;
  #streamIds = 0;
  #nonces = 0;

  constructor(private readonly credentials = grpc.ServerCredentials.createInsecure()) {
    closeWithTest(() => this.stop());
  }

  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  get streams(): number {
    return this.#streams.size;
  }

  /** What clients need to know of it (gRFC A27). */
  bootstrap(id = 'test-node'): object {
    return {
      xds_servers: [{ server_uri: this.address, channel_creds: [{ type: 'insecure' }], server_features: ['xds_v3'] }],
      node: { id, cluster: 'test-cluster', locality: { region: 'r1', zone: 'z1' }, metadata: { team: 'shop' } },
    };
  }

  /** On the port that it had before, if it is started again; it forgets its versions, as a process does. */
  async start(): Promise<this> {
    const server = new grpc.Server({ 'grpc.max_send_message_length': -1 });
    server.addService(service, {
      StreamAggregatedResources: (call: Stream['call']) => this.#open(call),
    });
    this.port = await new Promise<number>((resolve, reject) =>
      server.bindAsync(`127.0.0.1:${this.port}`, this.credentials, (error, port) =>
        error ? reject(error) : resolve(port),
      ),
    );
    this.#server = server;
    this.#versions.clear();
    return this;
  }

  /** As a process that dies: streams and connections are cut, and the port is closed. */
  async stop(): Promise<void> {
    this.#server?.forceShutdown();
    this.#server = undefined;
    await this.until(() => this.streams === 0);
  }

  /** Ends every stream, as control planes do now and then to spread their load; the connections stay. */
  endStreams(): void {
    for (const { call } of this.#streams) call.end();
  }

  /** Sets these resources and pushes them to every subscribed stream; `name` is the one that clients subscribe to. */
  set(type: XdsType, name: string, resource: Resource): void {
    const ofType = this.#resources.get(type) ?? new Map<string, Resource>();
    this.#resources.set(type, ofType.set(name, { '@type': TYPES[type], ...resource }));
    this.push(type);
  }

  delete(type: XdsType, name: string): void {
    this.#resources.get(type)?.delete(name);
    if (type === 'lds' || type === 'cds') this.push(type);
  }

  /** Sends its resources of a type, or the given ones instead. */
  push(type: XdsType, instead?: readonly object[]): void {
    this.#versions.set(type, this.#version(type) + 1);
    for (const stream of this.#streams) if (stream.subscriptions.has(type)) this.#respond(stream, type, instead);
  }

  /** Sends a response as it stands. */
  sendRaw(response: object): void {
    for (const { call } of this.#streams) call.write(response);
  }

  /** Resolves as soon as the condition holds; it is looked at after each request and each end of a stream. */
  async until(condition: () => boolean): Promise<void> {
    while (!condition()) {
      const changed = new Promise<void>((resolve) => {
        const watcher = (): void => {
          this.#watchers.delete(watcher);
          resolve();
        };
        this.#watchers.add(watcher);
      });
      await patiently(changed, () => this.requests.at(-1));
    }
  }

  /** The last request of that type has accepted the last response. */
  async acked(type: XdsType = 'eds'): Promise<DiscoveryRequest> {
    const answered = (): DiscoveryRequest | undefined =>
      this.requests.findLast((request) => request.type === type && request.response_nonce === String(this.#nonces));
    await this.until(() => answered() !== undefined);
    return answered()!;
  }

  #version(type: XdsType): number {
    return this.#versions.get(type) ?? 0;
  }

  #open(call: Stream['call']): void {
    const stream: Stream = { id: ++this.#streamIds, call, subscriptions: new Map() };
    this.#streams.add(stream);
    call.on('data', (request: IncomingRequest) => this.#onRequest(stream, request));
    call.on('end', () => call.end());
    const closed = (): void => {
      this.#streams.delete(stream);
      this.#changed();
    };
    for (const event of ['cancelled', 'close', 'finish', 'error']) call.on(event, closed);
    this.#changed();
  }

  #onRequest(stream: Stream, request: IncomingRequest): void {
    const type = typeOf(request.type_url);
    this.requests.push({ ...request, type, stream: stream.id, metadata: stream.call.metadata });
    if (type) this.#subscribe(stream, type, request);
    this.#changed();
  }

  #subscribe(stream: Stream, type: XdsType, request: IncomingRequest): void {
    const { resource_names: names, response_nonce: nonce, version_info: version } = request;
    const known = stream.subscriptions.get(type);
    // A request that answers an older response is out of date; the client sends another.
    if (known && nonce !== known.nonce) return;
    stream.subscriptions.set(type, { names, nonce: known?.nonce ?? '' });
    const added = names.some((name) => !known?.names.includes(name) && this.#resources.get(type)?.has(name));
    const behind = this.asCache && version !== String(this.#version(type));
    if (added || behind) this.#respond(stream, type);
  }

  #respond({ call, subscriptions }: Stream, type: XdsType, instead?: readonly object[]): void {
    if (this.mute) return;
    const subscription = subscriptions.get(type)!;
    const nonce = String(++this.#nonces);
    subscriptions.set(type, { ...subscription, nonce });
    const ofType = this.#resources.get(type) ?? new Map<string, Resource>();
    const resources = instead ?? subscription.names.flatMap((name) => ofType.get(name) ?? []);
    this.pushes++;
    call.write({ version_info: String(this.#version(type)), resources, type_url: TYPES[type], nonce });
  }

  #changed(): void {
    for (const watcher of this.#watchers) watcher();
  }
}
