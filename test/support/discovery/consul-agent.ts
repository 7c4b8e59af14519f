import { EventEmitter, once } from 'node:events';
import http from 'node:http';
import https from 'node:https';
import { freePort } from 'nestjs-grpc-lb/testing';
import { closeWithTest } from '../run/close-with-test.js';

/** One instance, as an operator thinks of it. */
export interface AgentInstance {
  readonly id?: string;
  /** Empty: the service has no address of its own, and stands under that of its node. */
  readonly address?: string;
  readonly port: number;
  readonly tags?: readonly string[];
  readonly meta?: Readonly<Record<string, string>>;
  readonly weights?: { readonly Passing: number; readonly Warning: number };
  readonly status?: 'passing' | 'warning' | 'critical';
  readonly node?: {
    readonly name?: string;
    readonly address?: string;
    readonly datacenter?: string;
    readonly meta?: Readonly<Record<string, string>>;
  };
}

export interface AgentRequest {
  readonly service: string;
  readonly index: number;
  readonly query: URLSearchParams;
  readonly token: string | undefined;
}

/** Answers in the place of the agent; false leaves it to the agent. */
export type Fault = (request: AgentRequest, response: http.ServerResponse) => boolean;

/**
 * A Consul agent in this process, as far as `/v1/health/service/:name` goes, with blocking queries as the documents of
 * Consul describe them: an answer is held back until the index has passed that of the query, or for `wait`, to which the
 * agent adds up to a sixteenth.
 */
export class ConsulAgent {
  readonly requests: AgentRequest[] = [];
  port = 0;
  index = 10;
  /** Queries need it; without it the agent answers 403, or leaves out what may not be read if `hides` is set. */
  token: string | undefined;
  hides = false;
  fault: Fault | undefined;
  readonly #services = new Map<string, readonly AgentInstance[]>();
  readonly #bell = new EventEmitter().setMaxListeners(0);
  #server: http.Server | undefined;

  constructor(private readonly options: { readonly host?: string; readonly tls?: https.ServerOptions } = {}) {
    closeWithTest(() => this.stop());
  }

  /** Listens; on the port it had before when it is started again. */
  async start(): Promise<this> {
    const { tls, host = '127.0.0.1' } = this.options;
    const answer: http.RequestListener = (request, response) => void this.#answer(request, response);
    const server = tls ? https.createServer(tls, answer) : http.createServer(answer);
    this.#server = server;
    this.port ||= await freePort(host);
    await once(server.listen(this.port, host), 'listening');
    return this;
  }

  /** As a process that dies: queries that wait are cut. */
  async stop(): Promise<void> {
    const server = this.#server;
    if (!server) return;
    this.#server = undefined;
    const closed = once(server, 'close');
    server.close();
    server.closeAllConnections();
    await closed;
  }

  /** The catalog has changed: queries that wait are answered. */
  set(service: string, instances: readonly AgentInstance[]): void {
    this.#services.set(service, instances);
    this.index++;
    this.#bell.emit('change');
  }

  /** Wakes queries that wait, though nothing has changed but the index. */
  touch(index = this.index + 1): void {
    this.index = index;
    this.#bell.emit('change');
  }

  async connections(): Promise<number> {
    return new Promise((resolve, reject) =>
      this.#server!.getConnections((error, count) => (error ? reject(error) : resolve(count))),
    );
  }

  /** Resolves with the next request for which the condition holds. */
  async asked(condition: (request: AgentRequest) => boolean = () => true): Promise<AgentRequest> {
    for (;;) {
      const [request] = (await once(this.#bell, 'request')) as [AgentRequest];
      if (condition(request)) return request;
    }
  }

  async #answer(message: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
    const url = new URL(message.url!, 'http://agent');
    const service = /^\/v1\/health\/service\/([^/]+)$/.exec(url.pathname)?.[1];
    if (service === undefined) return void response.writeHead(404).end();
    const request: AgentRequest = {
      service: decodeURIComponent(service),
      index: Number(url.searchParams.get('index') ?? 0),
      query: url.searchParams,
      token: message.headers['x-consul-token'] as string | undefined,
    };
    this.requests.push(request);
    this.#bell.emit('request', request);
    if (this.fault?.(request, response)) return;
    if (request.index > 0 && this.index <= request.index) await this.#change(request, response);
    if (response.destroyed) return;
    const refused = this.token !== undefined && request.token !== this.token;
    if (refused && !this.hides) {
      response.writeHead(403, { 'Content-Type': 'text/plain' }).end('Permission denied: anonymous token');
      return;
    }
    const headers = {
      'Content-Type': 'application/json',
      'X-Consul-Index': this.index,
      'X-Consul-KnownLeader': 'true',
      ...(refused && { 'X-Consul-Results-Filtered-By-ACLs': 'true' }),
    };
    response.writeHead(200, headers).end(JSON.stringify(refused ? [] : this.#entries(request)));
  }

  async #change({ query }: AgentRequest, response: http.ServerResponse): Promise<void> {
    const [, amount, unit] = /^(\d+)(ms|s|m)$/.exec(query.get('wait') ?? '5m')!;
    const waitMs = Number(amount) * { ms: 1, s: 1000, m: 60_000 }[unit as 'ms' | 's' | 'm'];
    await new Promise<void>((resolve) => {
      const timer = setTimeout(done, waitMs + (Math.random() * waitMs) / 16);
      const bell = this.#bell;
      function done(): void {
        clearTimeout(timer);
        bell.off('change', done);
        response.off('close', done);
        resolve();
      }
      bell.once('change', done);
      response.once('close', done);
    });
  }

  #entries({ service, query }: AgentRequest): object[] {
    const datacenter = query.get('dc') ?? 'dc1';
    return (this.#services.get(service) ?? [])
      .filter((instance) => query.getAll('tag').every((tag) => instance.tags?.includes(tag)))
      .filter(({ node }) => (node?.datacenter ?? 'dc1') === datacenter)
      .filter(({ status = 'passing' }) => query.get('passing') !== 'true' || status === 'passing')
      .map((instance) => healthEntry(service, instance));
  }
}

/** An instance in the words of Consul. */
export function healthEntry(service: string, instance: AgentInstance): Record<'Node' | 'Service', object> {
  const { id, address = '127.0.0.1', port, tags = [], meta = {}, status = 'passing', node } = instance;
  const { weights = { Passing: 1, Warning: 1 } } = instance;
  const name = node?.name ?? 'node-a';
  return {
    Node: {
      ID: '40e4a748-2192-161a-0510-9bf59fe950b5',
      Node: name,
      Address: node?.address ?? '10.1.10.12',
      Datacenter: node?.datacenter ?? 'dc1',
      TaggedAddresses: { lan: '10.1.10.12', wan: '192.0.2.12' },
      Meta: node?.meta ?? {},
    },
    Service: {
      ID: id ?? `${service}-${port}`,
      Service: service,
      Tags: tags,
      Address: address,
      TaggedAddresses: { lan: { Address: address, Port: port }, wan: { Address: '192.0.2.12', Port: port } },
      Meta: meta,
      Port: port,
      Weights: weights,
    },
    Checks: [
      { Node: name, CheckID: 'serfHealth', Name: 'Serf Health Status', Status: 'passing' },
      { Node: name, CheckID: `service:${service}`, Name: `Service '${service}' check`, Status: status },
    ],
  } as Record<'Node' | 'Service', object>;
}
