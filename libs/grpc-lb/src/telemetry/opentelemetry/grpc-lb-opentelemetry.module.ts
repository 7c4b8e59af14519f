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
import type { MeterProvider } from '@opentelemetry/api';
import { type Fault, GrpcLbOptionsError } from '../../core/errors.js';
import { type Check, fields } from '../../core/options/validation.js';
import type { GrpcLbRegistry } from '../../nest/registry.js';
import { REQUIRED_REGISTRY, requiredRegistry } from '../../nest/required-imports.js';
import { type GrpcLbMetricsOptions, METRICS_CHECKS } from '../metrics/metrics-options.js';
import type { GrpcLbMetricProducer } from './metrics/metric-producer.js';
import { DESTINATION_CHECKS, observeMetrics, oneDestination } from './metrics/observe-metrics.js';
import { CallSpans } from './traces/call-spans.js';
import { type GrpcLbTraceOptions, traceOptionsCheck } from './traces/trace-options.js';

/** Options of `GrpcLbOpenTelemetryModule.forRoot()`. */
export interface GrpcLbOpenTelemetryOptions {
  /**
   * The metrics of all clients; `false` for none.
   *
   * @default all of them, without addresses
   */
  readonly metrics?: GrpcLbMetricsOptions | false;
  /**
   * The spans of calls, and the context that is sent with them; `false` for neither.
   *
   * @default on, with the spans of attempts where a call has several
   */
  readonly traces?: GrpcLbTraceOptions | false;
  /**
   * Whose instruments record the metrics.
   *
   * @default the one that the application registers with the API, before or after this module is created
   */
  readonly meterProvider?: MeterProvider;
  /**
   * Adds the values of metrics up itself instead of recording them with instruments, which costs a call much less. Give it
   * to a metric reader of the SDK as well.
   *
   * @default none
   */
  readonly metricProducer?: GrpcLbMetricProducer;
}

const OPTIONS = Symbol('nestjs-grpc-lb OpenTelemetry options');

/** `false`, or what passes the check. */
function orFalse(check: Check): Check {
  return (path, value, faults) => {
    if (value !== false) check(path, value, faults);
  };
}

const check = fields({
  metrics: orFalse(fields(METRICS_CHECKS)),
  traces: orFalse(traceOptionsCheck),
  ...DESTINATION_CHECKS,
});

/** The applications that are observed: twice, they would count everything twice. */
const observed = new WeakSet<GrpcLbRegistry>();

/** Observes all clients from the start of the application to its end. */
@Injectable()
class OpenTelemetryObserver implements OnModuleInit, OnApplicationShutdown {
  readonly #stops: (() => void)[] = [];

  constructor(
    @Inject(OPTIONS) private readonly options: GrpcLbOpenTelemetryOptions,
    @Inject(REQUIRED_REGISTRY) private readonly registry: GrpcLbRegistry,
  ) {}

  onModuleInit(): void {
    if (observed.has(this.registry))
      throw new GrpcLbOptionsError('GrpcLbOpenTelemetryModule', [
        { path: 'forRoot()', message: 'is imported more than once; keep the import in the root module' },
      ]);
    observed.add(this.registry);
    const { metrics, traces, ...destination } = this.options;
    const { registry } = this;
    // First, so that the span of a call is there when the others are told of it.
    if (traces !== false) this.#stops.push(registry.observe(new CallSpans(traces)));
    if (metrics !== false) this.#stops.push(observeMetrics(registry, { ...metrics, ...destination }));
  }

  onApplicationShutdown(): void {
    for (const stop of this.#stops) stop();
  }
}

/**
 * OpenTelemetry for all clients of an application. It uses the API alone, and patches nothing; the SDK is that of the
 * application.
 *
 * @example
 *   imports: [GrpcLbModule.forRoot(), GrpcLbOpenTelemetryModule.forRoot()]
 */
@Module({})
export class GrpcLbOpenTelemetryModule {
  /**
   * Observes the clients of `GrpcLbModule`. Import it once, beside `GrpcLbModule.forRoot()`.
   *
   * @throws GrpcLbOptionsError that lists all faults.
   */
  static forRoot(options: GrpcLbOpenTelemetryOptions = {}): DynamicModule {
    const faults: Fault[] = [];
    check('', options, faults);
    if (faults.length === 0) oneDestination('', options, faults);
    if (faults.length > 0) throw new GrpcLbOptionsError('GrpcLbOpenTelemetryModule.forRoot', faults);
    return {
      module: GrpcLbOpenTelemetryModule,
      providers: [
        { provide: OPTIONS, useValue: options },
        requiredRegistry('GrpcLbOpenTelemetryModule'),
        OpenTelemetryObserver,
      ],
    };
  }

  /** @internal Nest creates it. */
  constructor(@Optional() @Inject(OPTIONS) options: unknown) {
    assertForRoot(options, 'GrpcLbOpenTelemetryModule');
  }
}
