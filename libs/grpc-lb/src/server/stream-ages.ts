import type { PackageDefinition } from '@grpc/proto-loader';
import { GrpcLbArgumentError } from '../core/errors.js';
import { didYouMean } from '../core/options/validation.js';
import { jittered, type Random } from '../core/random.js';
import type { EffectiveStreamAge } from './stream-age-options.js';

/** How old the streams of each method may become. */
export class StreamAges {
  readonly #decorated = new Map<string, number | false>();
  readonly #ofPaths = new Map<string, number | false>();

  constructor(
    private readonly options: EffectiveStreamAge,
    private readonly random: Random = Math.random,
  ) {}

  /** By `@MaxStreamAge`; the service with its package or without, as in `@GrpcMethod`. */
  decorate(service: string, method: string, age: number | false): void {
    this.#decorated.set(`${service}/${method}`, age);
  }

  /**
   * The age at which a new stream ends, in milliseconds, jitter included; false for never. Only for the paths of methods
   * that the server has.
   */
  draw(path: string): number | false {
    let age = this.#ofPaths.get(path);
    if (age === undefined) this.#ofPaths.set(path, (age = this.#find(path)));
    return age && Math.round(jittered(this.random, age, this.options.jitter));
  }

  /** @throws GrpcLbArgumentError if an age is set for a method that is unary, or that the server does not have. */
  check(loaded: PackageDefinition, services: ReadonlySet<string>): void {
    const isStream = new Map<string, boolean>();
    for (const service of services) {
      const definition = loaded[service];
      if (!definition || 'format' in definition) continue;
      for (const { path, requestStream, responseStream } of Object.values(definition)) {
        isStream.set(path.slice(1), requestStream || responseStream);
      }
    }
    for (const name of Object.keys(this.options.methods)) {
      const option = `maxStreamAge.methods['${name}']`;
      if (services.has(name) || isStream.get(name)) continue;
      if (isStream.has(name)) throw new GrpcLbArgumentError(`${option} is a unary method; ${ONLY_STREAMS}`);
      const known = [...services, ...[...isStream.keys()].filter((method) => isStream.get(method))];
      const meant = didYouMean(name, known) || `; use one of ${known.join(', ')}`;
      throw new GrpcLbArgumentError(`${option} is not a method of this server${meant}`);
    }
    for (const [method, streaming] of isStream) {
      if (streaming || this.#decoratedAge(method) === undefined) continue;
      throw new GrpcLbArgumentError(`@MaxStreamAge of ${method}: it is a unary method; ${ONLY_STREAMS}`);
    }
  }

  #find(path: string): number | false {
    const method = path.slice(1);
    const service = method.slice(0, method.indexOf('/'));
    const { methods, default: otherwise } = this.options;
    const own = (name: string): number | false | undefined =>
      Object.hasOwn(methods, name) ? methods[name] : undefined;
    return own(method) ?? this.#decoratedAge(method) ?? own(service) ?? otherwise;
  }

  #decoratedAge(method: string): number | false | undefined {
    const withoutPackage = method.slice(method.lastIndexOf('.', method.indexOf('/')) + 1);
    return this.#decorated.get(method) ?? this.#decorated.get(withoutPackage);
  }
}

const ONLY_STREAMS = 'only streams have an age';
