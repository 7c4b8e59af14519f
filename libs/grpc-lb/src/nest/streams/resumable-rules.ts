import { status as Status } from '@grpc/grpc-js';
import type { ResumeRules } from '../../core/resume/resume-rules.js';
import type { FailureStatus } from '../../core/options/status-names.js';
import { serviceError } from '../stub/service-error.js';
import type { ResumableMethod, ResumableOptions } from './resumable-options.js';
import type { StreamEnd } from './stream-end.js';

export const RESUMABLE_DEFAULTS = {
  gapStatusCodes: ['OUT_OF_RANGE'],
  resumableStatusCodes: ['UNAVAILABLE'],
  maxAttempts: Infinity,
  initialBackoff: 100,
  maxBackoff: 10_000,
  handoverTimeout: 5000,
} as const;

/** The rules of a method, from checked options. */
export interface StreamRules extends ResumeRules<unknown, unknown, StreamEnd> {
  /** Whether it moves before a failure. */
  readonly moves: boolean;
  /** Whether its streams stay open, as subscriptions do. */
  readonly lasting: boolean;
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
 */
export function rulesOf(subject: string, method: ResumableMethod | undefined): StreamRules {
  const options = (method ?? PLAIN) as AnyOptions;
  const { token, resume, bookmark, dedupe, onGap, handover } = options;
  const given = { ...RESUMABLE_DEFAULTS, ...withoutUndefined(options) };
  const { initialBackoff, maxBackoff, maxAttempts } = given;
  return {
    subject,
    token,
    resume,
    bookmark,
    dedupe,
    onGap: onGap && (({ end: { status }, ...gap }) => onGap({ ...gap, error: serviceError(status) })),
    gapCodes: codesOf(given.gapStatusCodes),
    codes: codesOf(given.resumableStatusCodes),
    maxAttempts,
    initialBackoff,
    maxBackoff: Math.max(initialBackoff, maxBackoff),
    handoverTimeout: (handover === false ? undefined : handover?.timeout) ?? RESUMABLE_DEFAULTS.handoverTimeout,
    moves: handover !== false,
    lasting: method !== undefined,
  };
}

function withoutUndefined<T extends object>(options: T): T {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as T;
}

function codesOf(names: readonly FailureStatus[]): ReadonlySet<number> {
  return new Set(names.map((name) => Status[name]));
}
