import { lengthOf, type TokenKey } from './token-key.js';

/** The most messages since the last token that are remembered. */
export const MAX_REMEMBERED = 1000;
/** The most characters of texts that are remembered: a server chooses how long they are. */
export const MAX_REMEMBERED_LENGTH = 262_144;

const NONE: readonly TokenKey[] = [];

/** How far the subscriber has got: the last token, and what was delivered since. */
export class Position {
  /** Undefined before the first one. */
  token: unknown;
  /** Whether a message has been delivered. */
  begun = false;
  /** Messages delivered with the token or since that are not remembered: a new call would deliver them again. */
  loose = 0;
  #key: TokenKey | undefined;
  /** Mostly one message: an array would be new for each. */
  #withToken: TokenKey | readonly TokenKey[] | undefined;
  #since: TokenKey[] | undefined;
  /** Of what is remembered, but the first message with the token. */
  #length = 0;

  /** Whether a new call that begins here delivers nothing twice. */
  get exact(): boolean {
    return this.loose === 0;
  }

  /** Whether no more messages are remembered before the next token. */
  get full(): boolean {
    const { withToken, since } = this;
    return withToken.length + since.length >= MAX_REMEMBERED || this.#length >= MAX_REMEMBERED_LENGTH;
  }

  get hasToken(): boolean {
    return this.#key !== undefined;
  }

  /** The identities of the messages that were delivered with the token. */
  get withToken(): readonly TokenKey[] {
    const found = this.#withToken;
    if (found === undefined) return NONE;
    return typeof found === 'object' ? found : [found];
  }

  /** Those delivered since. */
  get since(): readonly TokenKey[] {
    return this.#since ?? NONE;
  }

  /**
   * Called with each message that is taken from a call.
   *
   * @param key The key of its token.
   * @param identity Undefined if it is a bookmark, or neither a token nor anything else identifies it.
   */
  advance(token: unknown, key: TokenKey | undefined, identity: TokenKey | undefined, isBookmark: boolean): void {
    if (!isBookmark) this.begun = true;
    if (key === undefined) {
      if (!isBookmark) this.#remember(identity);
      return;
    }
    const repeated = key === this.#key;
    // What was delivered since comes after the same token.
    if (repeated && isBookmark) return;
    // A server may begin with the message before a bookmark.
    const last = this.#since?.at(-1) ?? this.withToken.at(-1);
    this.token = token;
    this.#key = key;
    this.loose = repeated && this.full ? this.loose + 1 : 0;
    if (isBookmark) this.#withToken = last;
    else this.#withToken = repeated ? this.#withOther(identity!) : identity;
    this.#since = undefined;
    if (!repeated) this.#length = 0;
  }

  /** The stream begins with another request, whose messages are new. */
  restart(): void {
    this.token = this.#key = this.#withToken = this.#since = undefined;
    this.begun = false;
    this.loose = this.#length = 0;
  }

  #remember(identity: TokenKey | undefined): void {
    if (identity === undefined || this.since.length >= MAX_REMEMBERED || this.#length >= MAX_REMEMBERED_LENGTH) {
      this.loose++;
      return;
    }
    (this.#since ??= []).push(identity);
    this.#length += lengthOf(identity);
  }

  /** A token that comes again: several messages have it. */
  #withOther(identity: TokenKey): readonly TokenKey[] {
    const { withToken, since } = this;
    if (this.full) return [...withToken, ...since];
    this.#length += lengthOf(identity);
    return [...withToken, ...since, identity];
  }
}
