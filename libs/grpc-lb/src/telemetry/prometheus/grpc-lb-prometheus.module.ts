import {
  type DynamicModule,
  Inject,
  Injectable,
  Module,
  type OnApplicationShutdown,
  type OnModuleInit,
  Optional,
} from '@nestjs/common';
import { assertForRoot } from '../../core/options/required.js';
import { collectDefaultMetrics, register, type Registry, type RegistryContentType } from 'prom-client';
import { type Fault, GrpcLbOptionsError } from '../../core/errors.js';
import { boolean, type Check, fields, shown } from '../../core/options/validation.js';
import type { GrpcLbRegistry } from '../../nest/registry.js';
import { REQUIRED_REGISTRY, requiredRegistry } from '../../nest/required-imports.js';
import { metricsControllerAt, PROMETHEUS_REGISTRY } from './metrics-controller.js';
import { observeMetrics, PROMETHEUS_CHECKS, type PrometheusMetricsOptions } from './observe-metrics.js';

/** Options of `GrpcLbPrometheusModule.forRoot()`. */
export interface GrpcLbPrometheusOptions extends PrometheusMetricsOptions {
  /**
   * Where the application serves the metrics of the registry, below its global prefix; `false` if it does so itself, as
   * with `@willsoto/nestjs-prometheus`.
   *
   * @default '/metrics'
   */
  readonly path?: string | false;
  /**
   * Whether to add the metrics of the process: CPU, memory, event loop, garbage collection.
   *
   * @default false
   */
  readonly defaultMetrics?: boolean;
}

const OPTIONS = Symbol('nestjs-grpc-lb Prometheus options');

const path: Check = (at, value, faults) => {
  if (value !== false && (typeof value !== 'string' || value === ''))
    faults.push({ path: at, message: `is ${shown(value)}; use a path such as /metrics, or false` });
};
const check = fields({ ...PROMETHEUS_CHECKS, path, defaultMetrics: boolean });

/** One of the metrics of the process; prom-client refuses to register them twice. */
const A_DEFAULT_METRIC = 'process_cpu_user_seconds_total';

/** Exports the metrics of all clients from the start of the application to its end. */
@Injectable()
class PrometheusObserver implements OnModuleInit, OnApplicationShutdown {
  #stop: (() => void) | undefined;

  constructor(
    @Inject(OPTIONS) private readonly options: GrpcLbPrometheusOptions,
    @Inject(PROMETHEUS_REGISTRY) private readonly registry: Registry<RegistryContentType>,
    @Inject(REQUIRED_REGISTRY) private readonly clients: GrpcLbRegistry,
  ) {}

  onModuleInit(): void {
    const { path: _path, defaultMetrics = false, ...options } = this.options;
    const { registry } = this;
    if (defaultMetrics && !registry.getSingleMetric(A_DEFAULT_METRIC)) collectDefaultMetrics({ register: registry });
    this.#stop = observeMetrics(this.clients, { ...options, registry });
  }

  onApplicationShutdown(): void {
    this.#stop?.();
  }
}

/**
 * The metrics of all clients of an application for Prometheus, in a registry of prom-client, and an endpoint that shows
 * them.
 *
 * @example
 *   imports: [GrpcLbModule.forRoot(), GrpcLbPrometheusModule.forRoot()]
 */
@Module({})
export class GrpcLbPrometheusModule {
  /**
   * Exports the clients of `GrpcLbModule`. Import it once, beside `GrpcLbModule.forRoot()`.
   *
   * @throws GrpcLbOptionsError that lists all faults.
   */
  static forRoot(options: GrpcLbPrometheusOptions = {}): DynamicModule {
    const faults: Fault[] = [];
    check('', options, faults);
    if (faults.length > 0) throw new GrpcLbOptionsError('GrpcLbPrometheusModule.forRoot', faults);
    const at = options.path ?? '/metrics';
    return {
      module: GrpcLbPrometheusModule,
      providers: [
        { provide: OPTIONS, useValue: options },
        { provide: PROMETHEUS_REGISTRY, useValue: options.registry ?? register },
        requiredRegistry('GrpcLbPrometheusModule'),
        PrometheusObserver,
      ],
      controllers: at === false ? [] : [metricsControllerAt(at)],
    };
  }

  /** @internal Nest creates it. */
  constructor(@Optional() @Inject(OPTIONS) options: unknown) {
    assertForRoot(options, 'GrpcLbPrometheusModule');
  }
}
