import { GrpcLbArgumentError } from '../errors.js';
import { immediate } from './immediate.js';
import type { ResumeRules } from './resume-rules.js';
import { type TokenKey, tokenKey } from './token-key.js';

/** A message, and what the rules say about it. */
export interface MessageFacts<Msg> {
  readonly message: Msg;
  readonly token: unknown;
  /** Undefined if no stream may begin after it. */
  readonly key: TokenKey | undefined;
  /** Tells it from other messages; undefined for bookmarks, and if nothing does. */
  readonly identity: TokenKey | undefined;
  readonly isBookmark: boolean;
}

type MessageRules<Msg> = Pick<ResumeRules<unknown, Msg>, 'subject' | 'token' | 'bookmark' | 'dedupe'>;

/** @throws What a function of the user throws. */
export function factsOf<Msg>(rules: MessageRules<Msg>, message: Msg): MessageFacts<Msg> {
  const token = rules.token(message);
  const key = keyOf(rules, 'token', token);
  // Types are not checked in JavaScript.
  const marked: unknown = rules.bookmark?.(message);
  const isBookmark = Boolean(immediate(rules, 'bookmark', marked));
  const identity = isBookmark ? undefined : identityOf(rules, message, key);
  return { message, token, key, identity, isBookmark };
}

function identityOf<Msg>(rules: MessageRules<Msg>, message: Msg, key: TokenKey | undefined): TokenKey | undefined {
  const { dedupe } = rules;
  if (!dedupe) return key;
  const own = keyOf(rules, 'dedupe', dedupe(message));
  // The token of one message may be equal to the identity of another.
  return own ?? (key === undefined ? undefined : `\0${typeof key} ${String(key)}`);
}

/** @throws GrpcLbArgumentError if it is not a value that can be compared. */
export function keyOf({ subject }: { readonly subject: string }, name: string, value: unknown): TokenKey | undefined {
  try {
    return tokenKey(value);
  } catch (error) {
    immediate({ subject }, name, value);
    throw new GrpcLbArgumentError(`${subject}: what ${name} returns ${(error as Error).message}`);
  }
}
