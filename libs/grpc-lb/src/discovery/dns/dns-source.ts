import type { Cancel } from '../../core/clock.js';
import type { EndpointListener, EndpointSource, EndpointSourceContext } from '../../core/endpoint-source.js';
import { GrpcLbDiscoveryError } from '../../core/errors.js';
import { jittered } from '../../core/random.js';
import { backoffMs } from '../../core/backoff.js';
import { reasonOf } from './address-book.js';
import { ClusterIpWatch } from './cluster-ip.js';
import type { EffectiveDnsOptions } from './dns-options.js';
import type { DnsAnswer, DnsQuestion } from './question.js';

const JITTER = 0.2;

interface Waiting {
  readonly kind: 'waiting';
  readonly cancel: Cancel;
}

/** The query in progress. An answer is ignored unless its query is still the current state. */
interface Asking {
  readonly kind: 'asking';
  /** Ends the timeout, and everything in progress for this query. */
  readonly cancel: Cancel;
  /** A refresh was requested meanwhile: the answer may predate its cause. */
  askAgain: boolean;
}

type State = Waiting | Asking | { readonly kind: 'idle' | 'stopped' };

/** Repeats one DNS question, one query at a time. */
export class DnsSource implements EndpointSource {
  #state: State = { kind: 'idle' };
  #listener!: EndpointListener;
  #askedAt = -Infinity;
  /** Consecutive failures. */
  #failures = 0;
  readonly #clusterIp: ClusterIpWatch;

  constructor(
    name: string,
    private readonly question: DnsQuestion,
    private readonly options: EffectiveDnsOptions,
    private readonly context: EndpointSourceContext,
  ) {
    this.#clusterIp = new ClusterIpWatch(name, options.kubernetesServiceHost);
  }

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

  /** Queries after `delayMs`, or later if the minimum time between two queries demands it. */
  #askIn(delayMs: number): void {
    const soonest = this.#askedAt + this.options.minRefreshInterval - this.context.clock.now();
    const wait = Math.max(delayMs, soonest);
    if (wait <= 0) this.#ask();
    else this.#state = { kind: 'waiting', cancel: this.context.clock.after(wait, () => this.#ask()) };
  }

  #ask(): void {
    const { timeout } = this.options;
    this.#askedAt = this.context.clock.now();
    const controller = new AbortController();
    const onTimeout = (): void => this.#failed(query, new Error(`no answer within ${timeout} ms`));
    const cancelTimeout = this.context.clock.after(timeout, onTimeout);
    const cancel = (): void => {
      cancelTimeout();
      controller.abort();
    };
    const query: Asking = { kind: 'asking', cancel, askAgain: false };
    this.#state = query;
    this.#answer(controller.signal).then(
      (answer) => this.#succeeded(query, answer),
      (error: unknown) => this.#failed(query, error),
    );
  }

  /** Async, so that any outcome of the question, even a synchronous throw, arrives later and in one way. */
  async #answer(signal: AbortSignal): Promise<DnsAnswer> {
    return this.question.ask(signal);
  }

  #succeeded(query: Asking, answer: DnsAnswer): void {
    if (this.#state !== query) return;
    query.cancel();
    this.#failures = 0;
    // The state first: the listener may call refresh or stop.
    this.#askIn(query.askAgain ? 0 : this.#pauseAfter(answer));
    this.#tell(answer);
  }

  /**
   * The interval counts from start to start. But a record's time to live counts from the answer, and a cache has
   * nothing new before it expires: so jitter only adds to it.
   */
  #pauseAfter({ ttl = 0 }: DnsAnswer): number {
    const { refreshInterval, minRefreshInterval, maxRefreshInterval } = this.options;
    const { clock, random } = this.context;
    if (ttl <= 0) return jittered(random, refreshInterval, JITTER) - (clock.now() - this.#askedAt);
    return Math.min(maxRefreshInterval, Math.max(minRefreshInterval, ttl * 1000)) * (1 + JITTER * random());
  }

  #tell({ endpoints, authoritative, serviceConfig, warnings = [] }: DnsAnswer): void {
    const warned = this.#clusterIp.look(endpoints.map(({ address }) => address));
    this.#listener.onEndpoints(endpoints, {
      authoritative,
      clusterIp: this.#clusterIp.detected || undefined,
      serviceConfig,
    });
    for (const warning of warned === undefined ? warnings : [...warnings, warned]) {
      if (this.#state.kind === 'stopped') return;
      this.#listener.onWarning(warning);
    }
  }

  #failed(query: Asking, error: unknown): void {
    if (this.#state !== query) return;
    query.cancel();
    const backoff = backoffMs(this.#failures++, this.options.refreshInterval, this.context.random);
    this.#askIn(query.askAgain ? 0 : backoff);
    this.#listener.onError(this.#explain(error));
  }

  #explain(error: unknown): Error {
    return new GrpcLbDiscoveryError(`DNS lookup of ${this.question.subject} failed: ${reasonOf(error)}`, {
      cause: error,
    });
  }
}
