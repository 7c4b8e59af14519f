import { EventEmitter } from 'node:events';
import Consul from 'consul';
import { addressToString } from '../../core/endpoint.js';
import { MAX_TEXT, printable } from '../../core/printable.js';
import { readAnswerBody } from './answer-body.js';
import type { EffectiveConsulOptions } from './consul-options.js';
import type { ConsulService } from './consul-target.js';
import { connectionsOf } from './connections.js';

export interface ConsulQuery {
  /** Waits for a newer index; 0 for an answer at once. */
  readonly index: bigint;
  readonly waitMs: number;
}

export interface ConsulAnswer {
  /** Undefined if it is missing, or not a number. */
  readonly index: bigint | undefined;
  /** Something was left out because the token may not read it. */
  readonly hidden: boolean;
  /** Set by a server that has lost its leader. */
  readonly leaderless: boolean;
}

/** Answers queries for the instances of one service. */
export interface ConsulAgent {
  /** The agent and the service, for errors. */
  readonly subject: string;
  /** Passes the instances of the answer to `onInstance` before it resolves. */
  ask(query: ConsulQuery, onInstance: (instance: unknown) => void, signal: AbortSignal): Promise<ConsulAnswer>;
}

const JSON_TYPE = 'application/json';

/** The client would parse an answer of any size in one turn. */
const RAW = { [JSON_TYPE]: (body: Buffer): Buffer => body };

type RawOptions = ConstructorParameters<typeof Consul>[0] & { readonly decoders: typeof RAW };

/** Fields that the client's types lack. */
type Ask = (options: object) => Promise<[{ readonly headers: Headers }, unknown]>;
type Headers = Readonly<Record<string, string | undefined>>;

/**
 * Single queries with the package `consul`. Its `watch` would repeat them, but without jitter in its backoff, without a
 * limit when an agent answers at once, with timers that keep the process alive, and never again after an HTTP 400.
 */
export class HttpConsulAgent implements ConsulAgent {
  readonly subject: string;
  readonly #ask: Ask;
  readonly #connections;

  constructor(
    private readonly service: ConsulService,
    private readonly options: EffectiveConsulOptions,
  ) {
    const { agent, name } = service;
    const { secure, ca } = options;
    this.subject = `Consul at ${addressToString(agent)}, service "${name}"`;
    this.#connections = connectionsOf(secure, ca);
    const host = agent.host.includes(':') ? `[${agent.host}]` : agent.host;
    const client: RawOptions = { host, port: agent.port, secure, agent: this.#connections.agent, decoders: RAW };
    const { health } = new Consul(client);
    this.#ask = health.service.bind(health) as unknown as Ask;
  }

  async ask(
    { index, waitMs }: ConsulQuery,
    onInstance: (instance: unknown) => void,
    signal: AbortSignal,
  ): Promise<ConsulAnswer> {
    const { name, tags, datacenter, near, consistency } = this.service;
    // The client takes an emitter as a context: `cancel` ends the request.
    const context = Object.assign(new EventEmitter(), { includeResponse: true });
    const cut = new Promise<never>((_, reject) => (this.#connections.onCut = reject));
    const asked = this.#ask({
      service: name,
      ctx: context,
      ...(tags.length > 0 && { tag: tags }),
      ...(datacenter !== undefined && { dc: datacenter }),
      ...(near !== undefined && { near }),
      ...(consistency !== 'default' && { [consistency]: true }),
      ...(this.options.token !== undefined && { token: this.options.token }),
      ...(index > 0n && { index: String(index), wait: `${waitMs}ms` }),
    });
    signal.addEventListener('abort', () => context.emit('cancel'), { once: true });
    const [{ headers }, body] = await Promise.race([asked, cut]).catch((error: unknown) => {
      // Without its cause: the client's error contains the request, and with it the token.
      throw new Error(this.#explain(error));
    });
    const { 'content-type': type = 'without a content type' } = headers;
    if (!Buffer.isBuffer(body) || !type.startsWith(JSON_TYPE)) throw new Error(`the answer is ${type}, not JSON`);
    await readAnswerBody(body, onInstance, signal);
    return {
      index: readIndex(headers['x-consul-index']),
      hidden: headers['x-consul-results-filtered-by-acls'] === 'true',
      leaderless: headers['x-consul-knownleader'] === 'false',
    };
  }

  #explain(error: unknown): string {
    const { message = String(error), statusCode } = Object(error) as { message?: string; statusCode?: number };
    const { token } = this.options;
    // Cut before the token is searched for, but not within the token.
    const start = message.slice(0, MAX_TEXT + (token?.length ?? 0));
    const said = printable(token === undefined ? start : start.replaceAll(token, '...'));
    if (statusCode === undefined) return said;
    const remedy = statusCode === 403 ? '; grant the token service:read on the service, and node:read' : '';
    return `HTTP ${statusCode}, ${said.trim()}${remedy}`;
  }
}

/** In principle larger than a number can hold: 64 bits. */
function readIndex(text: string | undefined): bigint | undefined {
  return text !== undefined && /^\d{1,20}$/.test(text) ? BigInt(text) : undefined;
}
