import { register, type Registry, type RegistryContentType } from 'prom-client';
import { type Fault, GrpcLbOptionsError } from '../../../core/errors.js';
import { fields } from '../../../core/options/validation.js';
import type {
  ObservedServer,
  ObservedServerCall,
  ServerCallObservation,
  ServerCallObserver,
} from '../../../server/server-observer.js';
import { ServerRecorder } from '../../metrics/server-recorder.js';
import { PROMETHEUS_CHECKS } from '../observe-metrics.js';
import { ServerExport } from './server-export.js';

/** Options of `GrpcServerMetrics`. */
export interface GrpcServerMetricsOptions {
  /**
   * The registry that exports the metrics.
   *
   * @default the default registry of prom-client
   */
  readonly registry?: Registry<RegistryContentType>;
}

const check = fields({ registry: PROMETHEUS_CHECKS.registry });

/**
 * The metrics of a server for Prometheus: the observer that `GrpcServerModule` and `grpcServer` take. The calls of
 * health, reflection and load reports are exempt.
 *
 * @example
 *   GrpcServerModule.forRoot({ observer: new GrpcServerMetrics() });
 */
export class GrpcServerMetrics implements ServerCallObserver {
  readonly #recorder: ServerRecorder;
  readonly #exported: ServerExport;

  /** @throws GrpcLbOptionsError that lists all faults. */
  constructor(options: GrpcServerMetricsOptions = {}) {
    const faults: Fault[] = [];
    check('', options, faults);
    if (faults.length > 0) throw new GrpcLbOptionsError('GrpcServerMetrics', faults);
    const exported = ServerExport.of(options.registry ?? register);
    this.#exported = exported;
    this.#recorder = new ServerRecorder((metric, value, labels) => exported.take(metric, value, labels));
  }

  /** Called by the server. */
  attached(server: ObservedServer): () => void {
    return this.#exported.servers.add(server);
  }

  /** Called by the server. */
  callStarted(call: ObservedServerCall): ServerCallObservation {
    return this.#recorder.callStarted(call);
  }
}
