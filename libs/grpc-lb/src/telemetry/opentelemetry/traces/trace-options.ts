import type { TracerProvider } from '@opentelemetry/api';
import { boolean, type Check, fields, oneOf, shown } from '../../../core/options/validation.js';

/** What the spans of calls contain. */
export interface GrpcLbTraceOptions {
  /**
   * Which attempts have spans of their own, as children of the span of their call. `several`: those of calls with more
   * than one attempt. `always`: all.
   *
   * @default 'several'
   */
  readonly attempts?: 'several' | 'always';
  /**
   * Whether a span has an event for each message with its size, up to 64 for each call.
   *
   * @default false
   */
  readonly messageEvents?: boolean;
  /**
   * Where the tracer comes from.
   *
   * @default the global provider of `@opentelemetry/api`, also if it is registered later
   */
  readonly tracerProvider?: TracerProvider;
}

/** Checks a tracer provider. */
export const tracerProviderCheck: Check = (path, value, faults) => {
  if (typeof (value as TracerProvider | null)?.getTracer !== 'function')
    faults.push({ path, message: `is ${shown(value)}; use the TracerProvider of an OpenTelemetry SDK` });
};

/** Checks the options of traces. */
export const traceOptionsCheck: Check = fields({
  attempts: oneOf(['several', 'always']),
  messageEvents: boolean,
  tracerProvider: tracerProviderCheck,
});
