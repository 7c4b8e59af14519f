import { expect } from 'vitest';
import type { CallEnd, ResumeRules } from '../../../libs/grpc-lb/src/core/resume/resume-rules.js';
import { ResumableStream, type StreamOwner } from '../../../libs/grpc-lb/src/core/resume/resumable-stream.js';
import type { OpenedCall, StreamListener } from '../../../libs/grpc-lb/src/core/resume/stream-call.js';
import { FakeClock } from '../time/fake-clock.js';

export const OK = 0;
export const CANCELLED = 1;
export const NOT_FOUND = 5;
export const RESOURCE_EXHAUSTED = 8;
export const OUT_OF_RANGE = 11;
export const UNAVAILABLE = 14;

/** A message: its name, and its token if a stream may begin after it. */
export interface Message {
  readonly name: string;
  readonly token?: unknown;
  readonly bookmark?: boolean;
}

export type Rules = Partial<ResumeRules<string, Message>>;

/** A call that the test plays. */
export class Call implements OpenedCall {
  since: number;
  reads = 0;
  cancelled = false;

  constructor(
    readonly request: string,
    readonly why: string,
    private readonly listener: StreamListener<Message, CallEnd>,
    private readonly clock: FakeClock,
  ) {
    this.since = clock.now();
  }

  read(): void {
    this.reads++;
  }

  cancel(): void {
    this.cancelled = true;
  }

  sent(): this {
    this.since = this.clock.now();
    this.listener.onSent();
    return this;
  }

  headers(): this {
    this.listener.onHeaders();
    return this;
  }

  /** Messages whose name is their token. */
  tokens(...names: string[]): this {
    for (const name of names) this.listener.onMessage({ name, token: name });
    return this;
  }

  message(name: string, more: Partial<Message> = {}): this {
    this.listener.onMessage({ name, ...more });
    return this;
  }

  end(code: number, more: Partial<CallEnd> = {}): void {
    this.listener.onEnd({ code, details: 'scripted', beginAgain: false, sent: true, local: false, ...more });
  }
}

/** A stream whose calls the test plays. */
export function setUp(rules: Rules = {}) {
  const clock = new FakeClock();
  const calls: Call[] = [];
  const told: string[] = [];
  const owner: StreamOwner<string, Message, CallEnd> & { wantsMore: boolean } = {
    clock,
    random: () => 0.5,
    wantsMore: true,
    open: (request, why, listener) => {
      const call = new Call(request, why, listener, clock);
      calls.push(call);
      return call;
    },
    deliver: ({ name }) => void told.push(name),
    moved: () => void told.push('(moved)'),
    stayed: () => void told.push('(stayed)'),
    interrupted: () => {},
    ended: ({ code }, note) => void told.push(note === undefined ? `(${code})` : `(${code}: ${note})`),
    failed: (error) => void told.push(`(${(error as Error).message})`),
  };
  const stream = new ResumableStream<string, Message, CallEnd>(
    {
      subject: 'client FEED, Feed/Watch',
      token: ({ token }) => token,
      bookmark: ({ bookmark }) => bookmark === true,
      resume: (request, token) => `${request} after ${String(token)}`,
      codes: new Set([UNAVAILABLE]),
      gapCodes: new Set([OUT_OF_RANGE]),
      maxAttempts: Infinity,
      initialBackoff: 100,
      maxBackoff: 1000,
      handoverTimeout: 5000,
      ...rules,
    },
    'all',
    owner,
  );
  stream.start();
  const last = (): Call => calls.at(-1)!;
  /** Moves, and returns the new call. */
  const move = (): Call => {
    expect(stream.move()).toBe(true);
    return last().sent();
  };
  return { clock, calls, told, owner, stream, first: calls[0]!.sent(), last, move };
}
