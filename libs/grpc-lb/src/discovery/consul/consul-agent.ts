import { EventEmitter } from 'node:events';
import Consul from 'consul';
import { addressToString } from '../../core/endpoint.js';
import { MAX_TEXT, printable } from '../../core/printable.js';
import { readAnswerBody } from './answer-body.js';
import type { EffectiveConsulOptions } from './consul-options.js';
import type { ConsulService } from './consul-target.js';
import { connectionsOf } from './connections.js';

export interface ConsulQuery {
  /** Waits for what is newer; 0 for an answer at once. */
  readonly index: bigint;
  readonly waitMs: number;
}

export interface ConsulAnswer {
  /** Undefined if it is missing, or no number. */
  readonly index: bigint | undefined;
  /** Something was left out because the token may not read it. */
  readonly hidden: boolean;
  /** Given by a server that has lost the others. */
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

/** The client would parse an answer in one turn, whatever it holds. */
const RAW = { [JSON_TYPE]: (body: Buffer): Buffer => body };

type RawOptions = ConstructorParameters<typeof Consul>[0] & { readonly decoders: typeof RAW };

/** What the client's types leave out. */
type Ask = (options: object) => Promise<[{ readonly headers: Headers }, unknown]>;
type Headers = Readonly<Record<string, string | undefined>>;

/**
 * Single queries by the package `consul`. Its `watch` would repeat them by itself, but without jitter in its backoff
 * and without a bound when an agent answers at once, by timers that keep the process alive, and after an HTTP 400 no
 * more.
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
    // The client takes an emitter for a context: `cancel` ends the request.
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
      // Without its cause: the client's error holds the request, and with it the token.
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
    // Cut before the token is looked for, but not within it.
    const start = message.slice(0, MAX_TEXT + (token?.length ?? 0));
    const said = printable(token === undefined ? start : start.replaceAll(token, '...'));
    if (statusCode === undefined) return said;
    const remedy = statusCode === 403 ? '; grant the token service:read on the service, and node:read' : '';
    return `HTTP ${statusCode}, ${said.trim()}${remedy}`;
  }
}

/** Larger than what a number holds, in principle: 64 bits. */
function readIndex(text: string | undefined): bigint | undefined {
  return text !== undefined && /^\d{1,20}$/.test(text) ? BigInt(text) : undefined;
}
