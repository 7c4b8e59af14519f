import { type ServiceError, status as Status } from '@grpc/grpc-js';
import { GrpcLbArgumentError } from '../../core/errors.js';
import { shown } from '../../core/options/validation.js';
import { immediate } from '../../core/resume/immediate.js';
import type { ResumeRules } from '../../core/resume/resume-rules.js';
import type { TokenKey } from '../../core/resume/token-key.js';
import { keyOf } from '../../core/resume/message-facts.js';
import { type CallNames, serviceError } from '../stub/service-error.js';
import type { ReplayOptions, ResumableMethod, ResumableOptions, ResumableStatus } from './resumable-options.js';
import type { StreamEnd } from './stream-end.js';

const RESUMABLE_DEFAULTS = {
  gapStatusCodes: ['OUT_OF_RANGE'],
  resumableStatusCodes: ['UNAVAILABLE', 'CANCELLED'],
  maxAttempts: Infinity,
  initialBackoff: 100,
  maxBackoff: 10_000,
  handoverTimeout: 5000,
  maxPending: 1000,
  maxPendingBytes: 1_048_576,
} as const;

/** The rules of a method, from checked options. */
export interface StreamRules extends ResumeRules<unknown, unknown, StreamEnd> {
  /** Whether it moves before a failure. */
  readonly moves: boolean;
  /** Whether its streams stay open, as subscriptions do. */
  readonly lasting: boolean;
  /** How requests are replayed; undefined for methods with one request. */
  readonly replay: ReplayRules | undefined;
}

/** Which requests a new call repeats. */
export interface ReplayRules {
  /** Undefined if the server does not acknowledge the request. */
  key(request: unknown): TokenKey | undefined;
  /** The keys of the requests that a message acknowledges. */
  acknowledged(message: unknown): readonly TokenKey[];
  readonly cumulative: boolean;
  readonly maxPending: number;
  readonly maxPendingBytes: number;
}

/** The request with which a call of a stream of requests begins. */
export interface Opening {
  /** The first request of the subscriber, or the one that `onGap` has returned; undefined before it has come. */
  first: unknown;
  /** What the call sends before it replays; undefined: nothing. */
  request: unknown;
}

type AnyOptions = ResumableOptions<unknown, unknown, unknown>;

const PLAIN: AnyOptions = {
  token: () => undefined,
  resume: (request) => request,
  resumableStatusCodes: [],
  maxAttempts: 0,
  handover: false,
};

/**
 * @param subject For errors, as in `client FEED, Feed/Watch`.
 * @param method Undefined for streams that neither resume nor move.
 * @param names What errors are told of the stream.
 */
export function rulesOf(subject: string, method: ResumableMethod | undefined, names: CallNames): StreamRules {
  const options = (method ?? PLAIN) as AnyOptions;
  const { token, bookmark, dedupe, handover } = options;
  const given = { ...RESUMABLE_DEFAULTS, ...withoutUndefined(options) };
  const { initialBackoff, maxBackoff, maxAttempts } = given;
  return {
    subject,
    token,
    resume: resumeRule(subject, options),
    bookmark,
    dedupe,
    onGap: gapRule(options, names),
    gapCodes: codesOf(given.gapStatusCodes),
    codes: codesOf(given.resumableStatusCodes),
    maxAttempts,
    initialBackoff,
    maxBackoff: Math.max(initialBackoff, maxBackoff),
    handoverTimeout: (handover === false ? undefined : handover?.timeout) ?? RESUMABLE_DEFAULTS.handoverTimeout,
    moves: handover !== false,
    lasting: method !== undefined,
    replay: options.replay && replayRules(subject, options.replay),
  };
}

function resumeRule(subject: string, { resume, replay }: AnyOptions): StreamRules['resume'] {
  const rules = { subject };
  if (!replay)
    return (request, token) => {
      const next = immediate(rules, 'resume', resume(request, token));
      if (typeof next === 'object' && next !== null) return next;
      throw new GrpcLbArgumentError(
        `${subject}: what resume returns is ${shown(next)}; return the request that begins at the token`,
      );
    };
  return (opening, token) => {
    const { first } = opening as Opening;
    if (first === undefined)
      throw new GrpcLbArgumentError(`${subject}: there is no request yet from which resume could begin at a token`);
    return { first, request: immediate(rules, 'resume', resume(first, token)) ?? undefined } satisfies Opening;
  };
}

function gapRule({ onGap, replay }: AnyOptions, names: CallNames): StreamRules['onGap'] {
  if (!onGap) return undefined;
  const errorOf = ({ status, peer }: StreamEnd): ServiceError => serviceError(status, undefined, { ...names, peer });
  if (!replay) return ({ end, ...gap }) => onGap({ ...gap, error: errorOf(end) });
  return async ({ end, token, request: opening }) => {
    const request = await onGap({ token, request: (opening as Opening).first, error: errorOf(end) });
    return request === undefined || request === null ? undefined : ({ first: request, request } satisfies Opening);
  };
}

function replayRules(subject: string, options: ReplayOptions<unknown, unknown>): ReplayRules {
  const rules = { subject };
  return {
    key: (request) => keyOf(rules, 'replay.key', options.key(request)),
    acknowledged: (message) => {
      const found = options.acknowledged(message);
      if (found === undefined || found === null) return [];
      const keys: readonly unknown[] = Array.isArray(found) ? found : [found];
      return keys.map((key) => keyOf(rules, 'replay.acknowledged', key)).filter((key) => key !== undefined);
    },
    cumulative: options.cumulative ?? false,
    maxPending: options.maxPending ?? RESUMABLE_DEFAULTS.maxPending,
    maxPendingBytes: options.maxPendingBytes ?? RESUMABLE_DEFAULTS.maxPendingBytes,
  };
}

function withoutUndefined<T extends object>(options: T): T {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as T;
}

function codesOf(names: readonly ResumableStatus[]): ReadonlySet<number> {
  return new Set(names.map((name) => Status[name]));
}
