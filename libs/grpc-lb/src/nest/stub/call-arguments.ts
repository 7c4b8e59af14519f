import { type CallOptions, Metadata, propagate } from '@grpc/grpc-js';
import { CRITICALITY_KEY, CRITICALITY_LEVELS, isCriticality } from '../../core/call/criticality.js';
import { GrpcLbArgumentError } from '../../core/errors.js';
import { NO_METADATA } from '../../grpc/call/attempt-headers.js';
import { INHERIT_ALWAYS } from '../../grpc/call/parent-call.js';
import { didYouMean, shown } from '../../core/options/validation.js';
import type { GrpcLbCallOptions } from '../service-types.js';

export interface CallArguments {
  /** NO_METADATA if the caller gives none. */
  readonly metadata: Metadata;
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

/**
 * The arguments after the request: metadata, options, both or neither. `subject` is for the error, as in `client
 * ORDERS, Find`.
 */
export function callArguments(subject: string, first: unknown, second: unknown): CallArguments {
  const [metadata, options] = isMetadata(first) || second !== undefined ? [first, second] : [undefined, first];
  if (metadata !== undefined && metadata !== null && !(metadata instanceof Metadata)) {
    // Its content may be a secret.
    throw new GrpcLbArgumentError(
      `${subject}: metadata is ${kindOf(metadata)}; pass a Metadata of the @grpc/grpc-js that this package uses`,
    );
  }
  if (options !== undefined && options !== null && typeof options !== 'object') {
    throw new GrpcLbArgumentError(`${subject}: options is ${kindOf(options)}; pass an object, as in { timeout: 1000 }`);
  }
  if (!options) return metadata ? { ...NO_ARGUMENTS, metadata } : NO_ARGUMENTS;
  const { criticality, ...others } = options as GrpcLbCallOptions;
  const stated =
    criticality === undefined ? (metadata ?? NO_METADATA) : withCriticality(subject, metadata, criticality);
  return { metadata: stated, ...callOptions(subject, others) };
}

/** As metadata it passes through interceptors and grpc-js's own client. */
function withCriticality(subject: string, metadata: Metadata | null | undefined, criticality: unknown): Metadata {
  if (!isCriticality(criticality)) {
    const levels = CRITICALITY_LEVELS.join(', ');
    throw new GrpcLbArgumentError(`${subject}: options.criticality is ${shown(criticality)}; pass one of ${levels}`);
  }
  const stated = metadata?.clone() ?? new Metadata();
  stated.set(CRITICALITY_KEY, criticality);
  return stated;
}

/** Whether the call has interceptors of its own. */
export function isIntercepted({ options }: CallArguments): boolean {
  return options.interceptors !== undefined || options.interceptor_providers !== undefined;
}

/** Also matches one of another copy of grpc-js, which would otherwise be mistaken for options and lost. */
function isMetadata(value: unknown): boolean {
  return value instanceof Metadata || typeof (value as Metadata | null | undefined)?.getMap === 'function';
}

/** The type only: the value may be a secret. */
export function kindOf(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  return typeof value === 'object' ? 'another object' : `a ${typeof value}`;
}

function callOptions(subject: string, given: GrpcLbCallOptions): Omit<CallArguments, 'metadata'> {
  const { timeout, signal, onMetadata, onStatus, inherit, ...others } = given;
  const options = inherit === undefined ? others : { ...others, propagate_flags: flagsOf(subject, inherit, others) };
  checkOthers(subject, others);
  if (timeout === undefined) return { options, signal, onMetadata, onStatus };
  if (!(typeof timeout === 'number' && timeout >= 1 && timeout <= 2_147_483_647)) {
    throw new GrpcLbArgumentError(
      `${subject}: options.timeout is ${shown(timeout)}; pass a number from 1 to 2147483647 (milliseconds)`,
    );
  }
  const end = Date.now() + timeout;
  const deadline = options.deadline === undefined ? end : Math.min(Number(options.deadline), end);
  return { options: { ...options, deadline }, signal, onMetadata, onStatus };
}

/** Those of grpc-js that pass through; its own client ignores unknown ones. */
const OTHERS: ReadonlySet<string> = new Set([
  'deadline',
  'host',
  'parent',
  'propagate_flags',
  'credentials',
  'interceptors',
  'interceptor_providers',
]);
const OWN = ['timeout', 'signal', 'onMetadata', 'onStatus', 'inherit', 'criticality'];
/** In 1973: a number of milliseconds from now, where a point in time belongs. */
const EARLIEST = 1e11;

function checkOthers(subject: string, others: CallOptions): void {
  for (const key in others) {
    if (OTHERS.has(key) || others[key as keyof CallOptions] === undefined) continue;
    const known = [...OWN, 'deadline', 'interceptors', 'credentials'];
    const remedy =
      didYouMean(key, known) || `; use ${known.join(', ')}, and pass headers before the options, as a Metadata`;
    // Its value may be a secret.
    throw new GrpcLbArgumentError(`${subject}: options.${key} is not an option of calls${remedy}`);
  }
  const { deadline } = others;
  if (typeof deadline !== 'number' || deadline <= 0 || deadline >= EARLIEST) return;
  throw new GrpcLbArgumentError(
    `${subject}: options.deadline is ${deadline}, a point in time in ${new Date(deadline).getUTCFullYear()}; pass { timeout: ${deadline} } for milliseconds from now, or Date.now() + ${deadline}`,
  );
}

/** grpc-js's flags pass through interceptors and its own client. */
function flagsOf(subject: string, inherit: unknown, { propagate_flags = propagate.DEFAULTS }: CallOptions): number {
  if (typeof inherit !== 'boolean')
    throw new GrpcLbArgumentError(`${subject}: options.inherit is ${kindOf(inherit)}; pass true or false`);
  if (inherit) return propagate_flags | INHERIT_ALWAYS;
  return propagate_flags & ~(propagate.DEADLINE | propagate.CANCELLATION);
}
