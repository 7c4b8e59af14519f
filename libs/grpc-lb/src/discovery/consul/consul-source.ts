import type { Cancel } from '../../core/clock.js';
import type { EndpointListener, EndpointSource, EndpointSourceContext } from '../../core/endpoint-source.js';
import { GrpcLbDiscoveryError } from '../../core/errors.js';
import { jittered } from '../../core/random.js';
import { TokenBucket } from '../../core/token-bucket.js';
import { backoffMs } from '../../core/backoff.js';
import type { ConsulAgent, ConsulAnswer } from './consul-agent.js';
import { InstanceReader, type InstanceRules, type Instances } from './instances.js';

const MAX_BACKOFF_MS = 10_000;
const JITTER = 0.2;
const WAIT_JITTER = 0.1;
/** Consul adds up to this part of the wait to it, so that clients do not all come back together. */
const SERVER_JITTER = 1 / 16;
/** Between two queries when the responder cannot hold back an answer. */
const POLL_INTERVAL_MS = 10_000;
const MIN_REFRESH_INTERVAL_MS = 1000;
/**
 * Consul's documents ask clients to bound their queries: an agent that answers at once each time, for whatever reason,
 * is queried once a second, while changes in quick succession are seen without delay.
 */
const QUERY_BURST = 10;
const QUERY_INTERVAL_MS = 1000;

export interface ConsulRules extends InstanceRules {
  readonly wait: number;
  readonly timeout: number;
}

/** The query in progress. An answer is ignored unless its query is still the current state. */
interface Asking {
  readonly kind: 'asking';
  readonly index: bigint;
  readonly abort: AbortController;
  readonly cancelTimeout: Cancel;
  /** A refresh is due that came within a second of the query's start. */
  cancelRefresh?: Cancel;
}

interface Waiting {
  readonly kind: 'waiting';
  /** When the next query is due, by the clock. */
  readonly until: number;
  readonly cancel: Cancel;
}

type State = Asking | Waiting | { readonly kind: 'idle' | 'stopped' };

/** Asks one agent for the instances of one service, by queries that the agent answers when something has changed. */
export class ConsulSource implements EndpointSource {
  #state: State = { kind: 'idle' };
  #listener!: EndpointListener;
  readonly #queries: TokenBucket;
  #askedAt = -Infinity;
  /** Queries wait for an index newer than this; with 0 the answer comes at once. */
  #index = 0n;
  /** The index of the last answer that was used; 0 if it had none. */
  #used = 0n;
  /** Consecutive failures. */
  #failures = 0;
  #everFound = false;

  constructor(
    private readonly agent: ConsulAgent,
    private readonly rules: ConsulRules,
    private readonly context: EndpointSourceContext,
  ) {
    this.#queries = new TokenBucket(QUERY_BURST, QUERY_INTERVAL_MS, context.clock);
  }

  start(listener: EndpointListener): void {
    this.#listener = listener;
    this.#ask();
  }

  /**
   * Asks for an answer at once. A blocking query would report a change anyway, if its connection still lived: whatever
   * cut the backend's connection may have cut that one too. A query that is due sooner stays.
   */
  refresh(): void {
    const state = this.#state;
    const now = this.context.clock.now();
    const due = this.#askedAt + MIN_REFRESH_INTERVAL_MS - now;
    if (state.kind === 'waiting') {
      state.cancel();
      this.#askIn(Math.min(due, state.until - now));
    } else if (state.kind === 'asking' && state.index > 0n) {
      if (due > 0) state.cancelRefresh ??= this.context.clock.after(due, () => this.#askAnew(state));
      else this.#askAnew(state);
    }
  }

  stop(): void {
    if (this.#state.kind === 'waiting') this.#state.cancel();
    if (this.#state.kind === 'asking') this.#end(this.#state);
    this.#state = { kind: 'stopped' };
  }

  #askAnew(query: Asking): void {
    this.#end(query);
    this.#index = 0n;
    this.#askIn(0);
  }

  #end(query: Asking): void {
    query.cancelTimeout();
    query.cancelRefresh?.();
    query.abort.abort();
  }

  /** After `delayMs`, or when the next query is allowed. */
  #askIn(delayMs: number): void {
    const wait = Math.max(delayMs, this.#queries.wait);
    if (wait <= 0) return this.#ask();
    const { clock } = this.context;
    this.#state = { kind: 'waiting', until: clock.now() + wait, cancel: clock.after(wait, () => this.#ask()) };
  }

  #ask(): void {
    const { clock, random } = this.context;
    const index = this.#index;
    const waitMs = index === 0n ? 0 : Math.round(jittered(random, this.rules.wait, WAIT_JITTER));
    const timeoutMs = waitMs * (1 + SERVER_JITTER) + this.rules.timeout;
    const abort = new AbortController();
    const cancelTimeout = clock.after(timeoutMs, () => this.#failed(query, new Error(this.#silence(waitMs))));
    const query: Asking = { kind: 'asking', index, abort, cancelTimeout };
    this.#askedAt = clock.now();
    this.#queries.spend();
    this.#state = query;
    const reader = new InstanceReader(this.rules);
    const onInstance = (instance: unknown): void => reader.add(instance);
    this.agent.ask({ index, waitMs }, onInstance, abort.signal).then(
      (answer) => this.#succeeded(query, answer, reader.read()),
      (error: unknown) => this.#failed(query, error),
    );
  }

  #silence(waitMs: number): string {
    const { timeout } = this.rules;
    return waitMs === 0
      ? `no answer within ${timeout} ms`
      : `no answer within ${timeout} ms after the wait of a blocking query`;
  }

  #succeeded(query: Asking, answer: ConsulAnswer, instances: Instances): void {
    if (this.#state !== query) return;
    const { index, leaderless } = answer;
    // It may have been cut off for hours. After a restore, which sets the index back as well, there is a leader.
    if (leaderless && index !== undefined && index < this.#used) return this.#failed(query, new Error(OUTDATED));
    this.#used = index ?? 0n;
    const tell = this.#verdictOn(answer, instances);
    this.#end(query);
    this.#failures = 0;
    this.#index = nextIndex(query.index, index);
    // The state first: the listener may call refresh or stop.
    this.#askIn(index === undefined ? jittered(this.context.random, POLL_INTERVAL_MS, JITTER) : 0);
    tell();
  }

  /** Returns a function that reports the answer to the listener. */
  #verdictOn(answer: ConsulAnswer, instances: Instances): () => void {
    const { hidden, index, leaderless } = answer;
    const { endpoints, total, faulty, faults } = instances;
    const said = faults.join('; ') + (faulty > faults.length ? `; and ${faulty - faults.length} more` : '');
    const fail = (reason: string) => () => this.#listener.onError(this.#error(reason));
    if (endpoints.length > 0) {
      this.#everFound = true;
      return () => {
        this.#listener.onEndpoints(endpoints);
        if (said) this.#warn(`ignored instances: ${said}`);
        if (index === undefined) this.#warn(NO_INDEX);
      };
    }
    if (said) return fail(`none of ${total} instances is usable: ${said}`);
    if (total > 0) return fail(`none of ${total} instances passes its health checks`);
    if (hidden) return fail('the token may not read any instance; grant it service:read on the service, and node:read');
    if (leaderless) return fail('the answer is empty, and the Consul server has no leader');
    if (!this.#everFound) return fail('no matching instance is registered');
    return () => this.#listener.onEndpoints([], { authoritative: true });
  }

  #failed(query: Asking, error: unknown): void {
    if (this.#state !== query) return;
    this.#end(query);
    const backoff = backoffMs(this.#failures++, MAX_BACKOFF_MS, this.context.random);
    // The next answer may come from another agent with a lower index, which would wait for an index in the past.
    this.#index = 0n;
    this.#askIn(backoff);
    this.#listener.onError(this.#error(error instanceof Error ? error.message : String(error)));
  }

  /** The listener may have stopped the source when it received the endpoints. */
  #warn(warning: string): void {
    if (this.#state.kind !== 'stopped') this.#listener.onWarning(`${this.agent.subject}: ${warning}`);
  }

  #error(reason: string): Error {
    return new GrpcLbDiscoveryError(`${this.agent.subject}: ${reason}`);
  }
}

const OUTDATED = 'the answer is older than the one before, and the Consul server has no leader';
const NO_INDEX = `answers without X-Consul-Index, so the client polls it every ${POLL_INTERVAL_MS / 1000} s`;

/** As described in https://developer.hashicorp.com/consul/api-docs/features/blocking under "Implementation Details". */
function nextIndex(asked: bigint, answered: bigint | undefined): bigint {
  if (answered === undefined) return 0n;
  // "Reset the index if it goes backwards"
  if (answered < asked) return 0n;
  // "Sanity check index is greater than zero": it is always safe to wait for an index above 1.
  return answered === 0n ? 1n : answered;
}
