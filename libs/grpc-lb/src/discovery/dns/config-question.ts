import { hostname } from 'node:os';
import type { EndpointSourceContext } from '../../core/endpoint-source.js';
import { reasonOf } from './address-book.js';
import type { EffectiveDnsOptions } from './dns-options.js';
import type { DnsAnswer, DnsQuestion } from './question.js';
import { resolverUntil, saysNone } from './resolver.js';
import { type ChosenConfig, type ConfigChooser, chooseServiceConfig } from './service-config.js';

/**
 * Adds the service config of a TXT record to the answer of another question. Any fault of the record is a warning, and
 * the last good config stays.
 */
export class ConfigQuestion implements DnsQuestion {
  readonly #name: string;
  readonly #chooser: ConfigChooser;
  #last: object | undefined;

  constructor(
    private readonly endpoints: DnsQuestion,
    host: string,
    private readonly servers: readonly string[],
    private readonly options: EffectiveDnsOptions,
    private readonly context: EndpointSourceContext,
  ) {
    // The config belongs to the host: `_grpc._tcp.orders.shop` is the service grpc of orders.shop.
    this.#name = `_grpc_config.${host.replace(/^(?:_[^.]+\.)+/, '')}`;
    this.#chooser = { hostname: hostname(), percentile: Math.floor(context.random() * 100) };
  }

  get subject(): string {
    return this.endpoints.subject;
  }

  async ask(signal: AbortSignal): Promise<DnsAnswer> {
    const [answer, { config, fault }] = await Promise.all([this.endpoints.ask(signal), this.#choose(signal)]);
    if (fault === undefined) this.#last = config;
    const { warnings = [] } = answer;
    return {
      ...answer,
      ...(this.#last && { serviceConfig: this.#last }),
      warnings: fault === undefined ? warnings : [...warnings, `TXT record of "${this.#name}": ${fault}`],
    };
  }

  async #choose(signal: AbortSignal): Promise<ChosenConfig> {
    try {
      return chooseServiceConfig(await this.#inTime(signal), this.#chooser);
    } catch (error) {
      return saysNone(error) ? {} : { fault: reasonOf(error) };
    }
  }

  /** At most a third of the time: endpoints must not wait to the end for a config that does not arrive. */
  #inTime(signal: AbortSignal): Promise<unknown> {
    const { resolver: make, timeout } = this.options;
    const time = Math.floor(timeout / 3);
    return new Promise((resolve, reject) => {
      const cancel = this.context.clock.after(time, () => reject(new Error(`no answer within ${time} ms`)));
      signal.addEventListener('abort', cancel, { once: true });
      resolverUntil(signal, make, this.servers, timeout).resolveTxt(this.#name).then(resolve, reject).finally(cancel);
    });
  }
}
