import { type Attributes, type Span, SpanKind } from '@opentelemetry/api';
import { RPC_METHOD } from './conventions.js';

/** What the spans of OpenTelemetry's SDK show beyond the API. */
interface SdkSpan {
  readonly name?: unknown;
  readonly kind?: unknown;
  readonly attributes?: Attributes;
}

/**
 * Whether a span is already the client span of a call of this method, as when `@opentelemetry/instrumentation-grpc` has
 * wrapped the method of the grpc-js client through which the call came.
 *
 * This looks at the span that is active while the call starts, not at what is installed: whether a client is wrapped
 * depends on the import order and on the module format, and on whether the call goes through grpc-js's client at all. A
 * span that is not recorded shows nothing, but then the one that this package starts is its child, and is not recorded
 * either.
 *
 * @param method As in `orders.v1.Orders/Find`.
 */
export function isClientSpanOf(span: Span, method: string): boolean {
  const { kind, name, attributes } = span as Span & SdkSpan;
  if (kind !== SpanKind.CLIENT) return false;
  if (typeof name === 'string' && (name === method || name === `grpc.${method}`)) return true;
  const named = attributes?.[RPC_METHOD];
  return named === method || `${String(attributes?.['rpc.service'])}/${String(named)}` === method;
}
