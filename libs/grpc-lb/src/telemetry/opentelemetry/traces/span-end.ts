import type { status as Status } from '@grpc/grpc-js';
import { type HrTime, type Span, SpanStatusCode } from '@opentelemetry/api';
import { printable } from '../../../core/printable.js';
import { knownCode, STATUS_NAMES } from '../../metrics/status-name.js';
import { ERROR_TYPE, RPC_STATUS_CODE } from './conventions.js';

/** A status of gRPC. */
export interface RpcEnd {
  readonly code: Status;
  readonly details: string;
}

/** The name of a status, as in `DEADLINE_EXCEEDED`. */
export function statusName(code: Status): string {
  return STATUS_NAMES[knownCode(code)]!;
}

/**
 * Ends a span with a status. The code is not in the description: "It's NOT RECOMMENDED to duplicate status code or
 * `error.type` in span status description."
 */
export function endSpan(span: Span, { code, details }: RpcEnd, isError: boolean, time: HrTime): void {
  const name = statusName(code);
  span.setAttribute(RPC_STATUS_CODE, name);
  if (isError) {
    span.setAttribute(ERROR_TYPE, name);
    span.setStatus({ code: SpanStatusCode.ERROR, message: printable(details) });
  }
  span.end(time);
}
