import {
  context,
  propagation,
  type Span,
  SpanKind,
  type SpanOptions,
  type TextMapSetter,
  trace,
  type Tracer,
} from '@opentelemetry/api';
import { type Fault, GrpcLbOptionsError } from '../../../core/errors.js';
import type { CallObservation, CallObserver, ObservedCall } from '../../../grpc/call/call-observer.js';
import { serverAddressOf } from '../../metrics/server-address.js';
import { VERSION } from '../../version.js';
import { CallClock } from './call-clock.js';
import { CallCourse } from './call-course.js';
import { CLIENT, RPC_METHOD, RPC_METHOD_ORIGINAL, RPC_SYSTEM_NAME } from './conventions.js';
import { isClientSpanOf } from './instrumented-span.js';
import { type GrpcLbTraceOptions, traceOptionsCheck } from './trace-options.js';

/** The name of the tracer. */
export const TRACER_NAME = 'nestjs-grpc-lb';
const OTHER = '_OTHER';

/** Writes each header that the propagators of the application set to all attempts of the call. */
const HEADERS: TextMapSetter<ObservedCall> = {
  set: (call, key, value) => call.setHeader(key.toLowerCase(), value),
};

/**
 * The traces of calls: a call observer that starts a client span for each call, with the active span as its parent, and
 * sends the trace context, and the baggage, with the call. If an instrumentation has started a client span for the call
 * already, it adds to that one.
 *
 * `GrpcLbOpenTelemetryModule` uses it; with clients without Nest give it to `createBalancedChannel`.
 *
 * @example
 *   createBalancedChannel({ name: 'orders', target, credentials, observer: new CallSpans() });
 */
export class CallSpans implements CallObserver {
  readonly #tracer: Tracer;
  /** By client and declared method. */
  readonly #methods = new Map<string, Map<string, TracedMethod>>();

  /** @throws GrpcLbOptionsError that lists all faults. */
  constructor(private readonly options: GrpcLbTraceOptions = {}) {
    const faults: Fault[] = [];
    traceOptionsCheck('', options, faults);
    if (faults.length > 0) throw new GrpcLbOptionsError('CallSpans', faults);
    this.#tracer = (options.tracerProvider ?? trace).getTracer(TRACER_NAME, VERSION);
  }

  /** Called by the client. Most calls are not sampled, so that they must cost little. */
  callStarted(call: ObservedCall): CallObservation | undefined {
    const parent = context.active();
    const active = trace.getSpan(parent);
    const traced = this.#methodOf(call);
    // An instrumentation has sent the context as well.
    if (active?.isRecording() && isClientSpanOf(active, traced.method)) return this.#course(active, false, traced);
    const span = this.#tracer.startSpan(traced.name, traced.options, parent);
    propagation.inject(trace.setSpan(parent, span), call, HEADERS);
    return span.isRecording() ? this.#course(span, true, traced) : undefined;
  }

  #course(span: Span, own: boolean, { name }: TracedMethod): CallCourse {
    return new CallCourse({ span, own, name, clock: new CallClock(span) }, this.#tracer, this.options);
  }

  #methodOf(call: ObservedCall): TracedMethod {
    // Not kept: a client may name any number of methods that it does not declare.
    if (!call.declared) return tracedMethod(call);
    const { client, method } = call;
    let ofClient = this.#methods.get(client);
    if (!ofClient) this.#methods.set(client, (ofClient = new Map<string, TracedMethod>()));
    let traced = ofClient.get(method);
    if (!traced) ofClient.set(method, (traced = tracedMethod(call)));
    return traced;
  }
}

/** What the spans of one method have in common. */
interface TracedMethod {
  /** As in `orders.v1.Orders/Find`. */
  readonly method: string;
  /** "The *span name* SHOULD be `{rpc.method}`", or "`{rpc.system.name}`" if that is `_OTHER`. */
  readonly name: string;
  readonly options: SpanOptions;
}

function tracedMethod({ client, target, declared, method: path }: ObservedCall): TracedMethod {
  const method = path.startsWith('/') ? path.slice(1) : path;
  // "When the method is not recognized [...] the attribute MUST be set to `_OTHER`."
  const named = declared ? { [RPC_METHOD]: method } : { [RPC_METHOD]: OTHER, [RPC_METHOD_ORIGINAL]: method };
  // They "SHOULD be provided at span creation time", for samplers.
  const attributes = { [RPC_SYSTEM_NAME]: 'grpc', ...named, ...serverAddressOf(target), [CLIENT]: client };
  return { method, name: declared ? method : 'grpc', options: { kind: SpanKind.CLIENT, attributes } };
}
