import type { Cancel } from '../core/clock.js';
import type { EndpointListener, EndpointSource, EndpointSourceContext } from '../core/endpoint-source.js';
import type { Endpoint, TcpAddress } from '../core/endpoint.js';
import { jittered } from '../core/random.js';
import { toEndpoints } from './dns-answer.js';
import type { DnsSourceOptions } from './dns-options.js';

const FIRST_BACKOFF_MS = 1000;
const BACKOFF_MULTIPLIER = 1.6;
const JITTER = 0.2;

interface Waiting {
  readonly kind: 'waiting';
  readonly cancel: Cancel;
}

/** An answer counts only while its own query is the state of the source: one that comes late finds another. */
interface Asking {
  readonly kind: 'asking';
  /** Of the timeout. */
  readonly cancel: Cancel;
  /** A refresh came meanwhile: the answer may be from before whatever caused it. */
  askAgain: boolean;
}

type State = Waiting | Asking | { readonly kind: 'idle' | 'stopped' };

/** Asks the resolver for the addresses of one host, again and again, one query at a time. */
export class DnsSource implements EndpointSource {
  #state: State = { kind: 'idle' };
  #listener!: EndpointListener;
  #askedAt = -Infinity;
  /** In a row. */
  #failures = 0;

  constructor(
    private readonly address: TcpAddress,
    private readonly options: Required<DnsSourceOptions>,
    private readonly context: EndpointSourceContext,
  ) {}

  start(listener: EndpointListener): void {
    this.#listener = listener;
    this.#ask();
  }

  refresh(): void {
    if (this.#state.kind === 'asking') {
      this.#state.askAgain = true;
    } else if (this.#state.kind === 'waiting') {
      this.#state.cancel();
      this.#askIn(0);
    }
  }

  stop(): void {
    if ('cancel' in this.#state) this.#state.cancel();
    this.#state = { kind: 'stopped' };
  }

  /** After `delayMs`, or as much later as the least time between two queries demands. */
  #askIn(delayMs: number): void {
    const soonest = this.#askedAt + this.options.minRefreshInterval - this.context.clock.now();
    const wait = Math.max(delayMs, soonest);
    if (wait <= 0) this.#ask();
    else this.#state = { kind: 'waiting', cancel: this.context.clock.after(wait, () => this.#ask()) };
  }

  #ask(): void {
    const { timeout } = this.options;
    this.#askedAt = this.context.clock.now();
    const onTimeout = (): void => this.#failed(query, new Error(`no answer within ${timeout} ms`));
    const query: Asking = { kind: 'asking', cancel: this.context.clock.after(timeout, onTimeout), askAgain: false };
    this.#state = query;
    this.#lookup().then(
      (endpoints) => this.#succeeded(query, endpoints),
      (error: unknown) => this.#failed(query, error),
    );
  }

  /** Async, so that whatever the look-up function does, even throwing on the spot, arrives later and in one way. */
  async #lookup(): Promise<Endpoint[]> {
    const answer = await this.options.lookup(this.address.host, { all: true, order: 'verbatim' });
    if (answer.length === 0) throw new Error('the answer has no addresses');
    return toEndpoints(answer, this.address.port);
  }

  #succeeded(query: Asking, endpoints: readonly Endpoint[]): void {
    if (this.#state !== query) return;
    query.cancel();
    this.#failures = 0;
    const elapsed = this.context.clock.now() - this.#askedAt;
    const next = jittered(this.context.random, this.options.refreshInterval, JITTER) - elapsed;
    // The state first: the listener may call refresh or stop.
    this.#askIn(query.askAgain ? 0 : next);
    this.#listener.onEndpoints(endpoints);
  }

  #failed(query: Asking, error: unknown): void {
    if (this.#state !== query) return;
    query.cancel();
    const backoff = Math.min(FIRST_BACKOFF_MS * BACKOFF_MULTIPLIER ** this.#failures, this.options.refreshInterval);
    this.#failures++;
    this.#askIn(query.askAgain ? 0 : jittered(this.context.random, backoff, JITTER));
    this.#listener.onError(this.#explain(error));
  }

  /** Node's own messages hold the code already: `getaddrinfo ENOTFOUND orders`. */
  #explain(error: unknown): Error {
    const { code } = Object(error) as NodeJS.ErrnoException;
    const message = error instanceof Error ? error.message : String(error);
    const reason = typeof code === 'string' && !message.includes(code) ? `${code}, ${message}` : message;
    return new Error(`DNS look-up of "${this.address.host}" failed: ${reason}`, { cause: error });
  }
}
