import {
  type Attributes,
  type Context,
  context,
  propagation,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  type TextMapGetter,
  trace,
  type Tracer,
  type TracerProvider,
} from '@opentelemetry/api';
import type { Metadata } from '@grpc/grpc-js';
import type {
  ObservedServerCall,
  ObservedServerEnd,
  ServerCallObservation,
  ServerCallObserver,
} from '../../../server/server-observer.js';
import { isServerError } from '../../metrics/server-errors.js';
import { VERSION } from '../../version.js';
import { CallClock } from '../traces/call-clock.js';
import { TRACER_NAME } from '../traces/call-spans.js';
import { RPC_METHOD, RPC_SYSTEM_NAME, SERVER_ADDRESS, SERVER_PORT, STREAM_END } from '../traces/conventions.js';
import { peerAttributes } from '../traces/peer-attributes.js';
import { hostAndPort } from '../traces/host-and-port.js';
import { endSpan } from '../traces/span-end.js';

const HEADERS: TextMapGetter<Metadata> = {
  keys: (metadata) => Object.keys(metadata.getMap()),
  get: (metadata, key) => metadata.get(key).map(String),
};

/**
 * A server span for each call, as a child of the span that the client sends. The handler runs in its context. Calls of
 * methods that an instrumentation has wrapped have no span of this package: that of the instrumentation is enough.
 */
export class ServerSpans implements ServerCallObserver {
  readonly #tracer: Tracer;

  constructor(provider: TracerProvider = trace) {
    this.#tracer = provider.getTracer(TRACER_NAME, VERSION);
  }

  /** Called by the server. */
  callStarted(call: ObservedServerCall): ServerCallObservation | undefined {
    if (call.instrumented) return undefined;
    // Not the active one: a server reads all calls of a connection in one context.
    const parent = propagation.extract(ROOT_CONTEXT, call.metadata, HEADERS);
    const method = call.method.slice(1);
    const attributes = { [RPC_SYSTEM_NAME]: 'grpc', [RPC_METHOD]: method, ...addressed(call.authority) };
    const span = this.#tracer.startSpan(method, { kind: SpanKind.SERVER, attributes }, parent);
    const recording = span.isRecording();
    if (recording && call.peer !== 'unknown') span.setAttributes(peerAttributes(call.peer));
    return new ServedCall(span, trace.setSpan(parent, span), recording ? new CallClock(span) : undefined);
  }
}

/** "SHOULD populate `server.address` from the host component of the HTTP/2 `:authority` pseudo-header". */
function addressed(authority: string): Attributes {
  const { address, port } = hostAndPort(authority);
  return port === undefined ? { [SERVER_ADDRESS]: address } : { [SERVER_ADDRESS]: address, [SERVER_PORT]: port };
}

class ServedCall implements ServerCallObservation {
  constructor(
    private readonly span: Span,
    private readonly inside: Context,
    /** Undefined if the span is not recorded. */
    private readonly clock: CallClock | undefined,
  ) {}

  run(action: () => void): void {
    context.with(this.inside, action);
  }

  ended(end: ObservedServerEnd): void {
    if (!this.clock) return;
    if (end.streamEnd) this.span.setAttribute(STREAM_END, end.streamEnd);
    endSpan(this.span, end, isServerError(end.code), this.clock.now());
  }
}
