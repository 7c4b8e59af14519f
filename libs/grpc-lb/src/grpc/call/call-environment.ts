import { isDeepStrictEqual } from 'node:util';
import type { ChannelCredentials, ChannelOptions } from '@grpc/grpc-js';
import type { CallThrottle } from '../../core/call/call-throttle.js';
import { CallThrottles } from '../../core/call/call-throttles.js';
import type { PlanEnvironment } from '../../core/call/plan-owner.js';
import type { Elsewhere } from '../../core/call/elsewhere.js';
import { RetryBudget } from '../../core/call/retry-budget.js';
import { RetryThrottle } from '../../core/call/retry-throttle.js';
import type { Clock } from '../../core/clock.js';
import type { Random } from '../../core/random.js';
import { wantHandledCall } from '../../handled-call/handled-call.js';
import { throttlePolicyOf } from '../../core/options/throttle-options.js';
import type { LimitedCalls } from '../../core/totals.js';
import { codesOf } from '../config/attempt-rules.js';
import { givenServiceConfig } from '../config/channel-options.js';
import { MethodPolicies } from '../config/method-policies.js';
import type { GivenServiceConfig } from '../config/service-config.js';
import type { ClientContext } from '../context/client-context.js';
import { SUBCHANNEL_ARGS_EXCLUDE_KEY_PREFIX } from '../experimental.js';
import { isSecure } from '../channel/tls-name.js';
import { ActiveCalls } from './active-calls.js';
import { CallDispatcher } from './call-dispatcher.js';
import type { CallObserver } from './call-observer.js';
import { CallObservers } from './call-observers.js';
import { accepts, type Encoding, encodingOf } from './message-codec.js';
import { ReplayMemory } from './replay-memory.js';
import { SecondReads } from './second-reads.js';
import { Statuses } from './statuses.js';

/** As in grpc-js. */
const MAX_RECEIVE_MESSAGE_LENGTH = 4 * 1024 * 1024;
const UNLIMITED = -1;

/** The channel option that passes the calls of a client to its balancer. grpc-js does not compare it. */
export const CALLS_OPTION = `${SUBCHANNEL_ARGS_EXCLUDE_KEY_PREFIX}.grpc_lb_calls`;

export interface CallEnvironmentOptions {
  readonly context: ClientContext;
  /** The `:authority` of calls that set none. */
  readonly authority: string;
  readonly credentials: ChannelCredentials;
  readonly channelOptions: ChannelOptions;
  /** Is told of each call; undefined for nothing. */
  readonly observer: CallObserver | undefined;
  /** Starts discovery, or starts it again after a failure. */
  readonly connect: () => void;
}

/** State that the calls of one client share. */
export class CallEnvironment implements PlanEnvironment {
  readonly dispatcher: CallDispatcher;
  readonly active = new ActiveCalls();
  readonly secondReads = new SecondReads();
  readonly statuses: Statuses;
  readonly replayMemory: ReplayMemory;
  /** Of calls, by method. */
  readonly throttles: CallThrottles;
  readonly limits: { readonly maxSend: number; readonly maxReceive: number };
  /** Whether connections are encrypted, so that call credentials may be sent. */
  readonly secure: boolean;
  /** Of retries and hedges. */
  throttle: RetryThrottle | undefined;
  budget: RetryBudget | undefined;
  elsewhere: Elsewhere | undefined;
  policies!: MethodPolicies;
  /** The service config from the channel options. */
  readonly #given: GivenServiceConfig;
  #discovered: GivenServiceConfig | undefined;
  readonly #encoding: Encoding;
  /** The encodings that a server accepts, as its last answer says; undefined before the first. */
  #accepted: string | undefined;
  #serverTakesEncoding = true;
  /** Those that were in force last; their counts outlive them. */
  #lastThrottle: RetryThrottle | undefined;
  #lastBudget: RetryBudget | undefined;

  readonly context: ClientContext;
  readonly authority: string;
  readonly observers: CallObservers;
  readonly #channelOptions: ChannelOptions;

  constructor(options: CallEnvironmentOptions) {
    const { context, credentials, channelOptions } = options;
    wantHandledCall();
    this.context = context;
    this.authority = options.authority;
    this.observers = new CallObservers(context.name);
    if (options.observer) this.observers.add(options.observer);
    context.onWeights = (update) => {
      const { name: client, target } = context;
      this.observers.all?.weightsUpdated?.({ client, target, ...update });
    };
    this.#channelOptions = channelOptions;
    this.statuses = new Statuses(channelOptions);
    this.dispatcher = new CallDispatcher(context, options.connect);
    this.throttles = new CallThrottles({
      clock: context.clock,
      random: context.random,
      codesOf,
      changed: (method, { state, counts }) => {
        const { window: _, ...counted } = counts;
        context.emit({ type: 'throttle', on: state !== 'closed', method, ...counted });
      },
    });
    this.replayMemory = new ReplayMemory(channelOptions);
    this.limits = {
      maxSend: channelOptions['grpc.max_send_message_length'] ?? UNLIMITED,
      maxReceive: channelOptions['grpc.max_receive_message_length'] ?? MAX_RECEIVE_MESSAGE_LENGTH,
    };
    this.secure = isSecure(credentials);
    this.#encoding = encodingOf(channelOptions['grpc.default_compression_algorithm']) ?? 'identity';
    this.#given = givenServiceConfig(channelOptions);
  }

  get clock(): Clock {
    return this.context.clock;
  }

  get random(): Random {
    return this.context.random;
  }

  /** Whether requests are compressed, if the server understands it. */
  get compresses(): boolean {
    return this.#encoding !== 'identity';
  }

  /** What the budget and the throttles have counted. */
  get limited(): LimitedCalls {
    const budget = this.#lastBudget;
    const retriesDenied = { budget: budget?.denied ?? 0, throttle: this.#lastThrottle?.denied ?? 0 };
    return { retriesGranted: budget?.granted ?? 0, retriesDenied, callsThrottled: this.throttles.refused };
  }

  /** The encoding of requests. */
  get encoding(): Encoding {
    return this.#serverTakesEncoding ? this.#encoding : 'identity';
  }

  /** An encoding, unless the server has said that it does not understand it. */
  accepted(encoding: Encoding): Encoding {
    return this.#accepted === undefined || accepts(this.#accepted, encoding) ? encoding : 'identity';
  }

  /** Called with each `grpc-accept-encoding` of a server. */
  serverAccepts(accepted: string): void {
    if (accepted === this.#accepted) return;
    this.#accepted = accepted;
    this.#serverTakesEncoding = accepts(accepted, this.#encoding);
  }

  /** Applies the options in force. Called before the first call. */
  configure(): void {
    const { loadBalancing, methods } = this.context;
    const config = this.#discovered ?? this.#given;
    if (!loadBalancing.throttle) this.throttles.clear();
    this.policies = new MethodPolicies(
      loadBalancing,
      methods,
      config,
      this.#channelOptions,
      this.policies,
      this.#throttleOf,
    );
    this.statuses.failures = loadBalancing.ejection.failureCodes;
    this.#limitRetries();
  }

  /** Applies the service config that discovery provides; it replaces the one of the channel options. */
  discovered(config: GivenServiceConfig | undefined): void {
    if (isDeepStrictEqual(config, this.#discovered)) return;
    this.#discovered = config;
    this.configure();
  }

  close(): void {
    this.dispatcher.close();
    this.active.close();
  }

  readonly #throttleOf = (path: string, declared: boolean): CallThrottle | undefined => {
    const policy = throttlePolicyOf(this.context.loadBalancing.throttle, path.slice(path.lastIndexOf('/') + 1));
    return policy && this.throttles.of(path, policy, declared);
  };

  /** State is kept while the options stay the same. */
  #limitRetries(): void {
    const { throttling, budget } = this.policies;
    const { throttle } = this;
    if (!throttling) this.throttle = undefined;
    else if (throttle?.maxTokens !== throttling.maxTokens || throttle?.tokenRatio !== throttling.tokenRatio) {
      // One that was off meanwhile has not seen what succeeded, and begins with all of its tokens.
      const previous = { denied: this.#lastThrottle?.denied ?? 0, level: throttle?.level ?? 1 };
      this.throttle = this.#lastThrottle = new RetryThrottle(throttling.maxTokens, throttling.tokenRatio, previous);
    }
    if (!budget) this.budget = undefined;
    else if (this.#lastBudget) this.budget = Object.assign(this.#lastBudget, budget);
    else this.budget = this.#lastBudget = new RetryBudget(this.clock, budget.ratio, budget.minPerSecond);
  }
}
