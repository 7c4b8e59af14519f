import { type CallOptions, Metadata, propagate } from '@grpc/grpc-js';
import { GrpcLbArgumentError } from '../../core/errors.js';
import { NO_METADATA } from '../../grpc/call/attempt-headers.js';
import { INHERIT_ALWAYS } from '../../grpc/call/parent-call.js';
import type { GrpcLbCallOptions } from '../call-options.js';
import { type ArgumentRules, kindOf } from './argument-rules.js';
import { checkGrpcOption, checked, unknownOption } from './option-checks.js';
import { statedMetadata } from './stated-metadata.js';

/** A call's arguments, checked. */
export interface CallArguments {
  /** NO_METADATA if the caller gives none. */
  readonly metadata: Metadata;
  /** Those of grpc-js. */
  readonly options: CallOptions;
  readonly signal: AbortSignal | undefined;
  readonly onMetadata: GrpcLbCallOptions['onMetadata'];
  readonly onStatus: GrpcLbCallOptions['onStatus'];
}

const NO_ARGUMENTS: CallArguments = Object.freeze({
  metadata: NO_METADATA,
  options: Object.freeze({}),
  signal: undefined,
  onMetadata: undefined,
  onStatus: undefined,
});

/** The arguments after the request: metadata, options, both or neither. */
export function callArguments(rules: ArgumentRules, first: unknown, second: unknown): CallArguments {
  // Most calls have none.
  if (first === undefined && second === undefined) return NO_ARGUMENTS;
  const { subject } = rules;
  const { metadata, options } = restOf(first, second);
  if (metadata !== undefined && metadata !== null && !(metadata instanceof Metadata)) {
    const own = 'a Metadata of the @grpc/grpc-js that this package uses';
    // That of another copy of grpc-js, or headers in an object. Its content may be a secret.
    const remedy = isMetadata(metadata)
      ? own
      : `headers among the options, as in { metadata: { 'x-tenant': 'acme' } }, or ${own}`;
    throw new GrpcLbArgumentError(`${subject}: metadata is ${kindOf(metadata)}; pass ${remedy}`);
  }
  if (options !== undefined && options !== null && typeof options !== 'object') {
    throw new GrpcLbArgumentError(`${subject}: options is ${kindOf(options)}; pass an object, as in { timeout: 1000 }`);
  }
  if (!options) return metadata ? { ...NO_ARGUMENTS, metadata } : NO_ARGUMENTS;
  return argumentsOf(rules, metadata ?? undefined, options);
}

/** Which of the arguments after the request is which. */
export function restOf(first: unknown, second: unknown): { metadata: unknown; options: unknown } {
  return isMetadata(first) || second !== undefined
    ? { metadata: first, options: second }
    : { metadata: undefined, options: first };
}

/** Whether the call has interceptors of its own. */
export function isIntercepted({ options }: CallArguments): boolean {
  return options.interceptors !== undefined || options.interceptor_providers !== undefined;
}

/** Also matches one of another copy of grpc-js, which would otherwise be mistaken for options and lost. */
function isMetadata(value: unknown): boolean {
  return value instanceof Metadata || typeof (value as Metadata | null | undefined)?.getMap === 'function';
}

/** Goes through the options once: copying an object without some of its keys costs a call twice as much. */
function argumentsOf(rules: ArgumentRules, metadata: Metadata | undefined, given: GrpcLbCallOptions): CallArguments {
  const options: Record<string, unknown> & CallOptions = {};
  let signal: AbortSignal | undefined;
  let onMetadata: GrpcLbCallOptions['onMetadata'];
  let onStatus: GrpcLbCallOptions['onStatus'];
  let timeout: number | undefined;
  let inherit: boolean | undefined;
  let stated: Record<string, unknown> | undefined;
  let unknown: string | undefined;
  for (const key in given) {
    const value = (given as Readonly<Record<string, unknown>>)[key];
    if (value === undefined) continue;
    switch (key) {
      case 'timeout':
        timeout = checked.timeout(rules, value);
        break;
      case 'signal':
        signal = checked.signal(rules, value);
        break;
      case 'onMetadata':
        onMetadata = checked.onMetadata(rules, value);
        break;
      case 'onStatus':
        onStatus = checked.onStatus(rules, value);
        break;
      case 'inherit':
        inherit = checked.inherit(rules, value);
        break;
      case 'metadata':
      case 'waitForReady':
      case 'hashKey':
      case 'retry':
      case 'hedge':
      case 'attemptTimeout':
      case 'criticality':
      case 'compression':
        (stated ??= {})[key] = value;
        break;
      default:
        if (!checkGrpcOption(rules, key, value)) unknown = key;
        // Code in JavaScript passes null for none, as grpc-js allows.
        else if (value === null) continue;
        options[key] = value;
    }
  }
  // An interceptor of the client, or of the call, may read what nothing else knows.
  if (unknown !== undefined && !rules.intercepted && !options.interceptors && !options.interceptor_providers)
    throw unknownOption(rules, unknown);
  if (inherit !== undefined) options.propagate_flags = flagsOf(inherit, options);
  if (timeout !== undefined) options.deadline = earlier(Date.now() + timeout, options.deadline);
  const sent = stated ? statedMetadata(rules, metadata, stated) : (metadata ?? NO_METADATA);
  return { metadata: sent, options, signal, onMetadata, onStatus };
}

function earlier(end: number, deadline: CallOptions['deadline']): number {
  return deadline === undefined ? end : Math.min(Number(deadline), end);
}

/** grpc-js's flags pass through interceptors and its own client. */
function flagsOf(inherit: boolean, { propagate_flags = propagate.DEFAULTS }: CallOptions): number {
  if (inherit) return propagate_flags | INHERIT_ALWAYS;
  return propagate_flags & ~(propagate.DEADLINE | propagate.CANCELLATION);
}
