import { trace, TraceFlags } from '@opentelemetry/api';

/**
 * The labels of an exemplar: trace and span in which the current code runs, if that trace is sampled. For the option
 * `exemplars` of `nestjs-grpc-lb/prometheus`, and for metrics of your own.
 *
 * @example
 *   const labels = traceExemplar(); // { trace_id: '4bf9…', span_id: '00f0…' }
 */
export function traceExemplar(): { readonly trace_id: string; readonly span_id: string } | undefined {
  const context = trace.getActiveSpan()?.spanContext();
  if (!context || (context.traceFlags & TraceFlags.SAMPLED) === 0) return undefined;
  return { trace_id: context.traceId, span_id: context.spanId };
}
