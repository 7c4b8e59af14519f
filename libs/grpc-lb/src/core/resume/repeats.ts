import { MAX_REMEMBERED } from './position.js';
import { lengthOf, type TokenKey } from './token-key.js';

/** What a new call may repeat, because it has been delivered already: each identity as often as it was delivered. */
export class Repeats {
  /** What comes after the token: the new call is behind until it has repeated all of it. */
  #after: Map<TokenKey, number> | undefined;
  #missing = 0;
  #newOnes = 0;
  /** Of what is missing, in characters. */
  length = 0;

  /**
   * @param withToken What was delivered with the token. Some servers repeat it, some do not.
   * @param since What has been delivered since.
   */
  constructor(
    private withToken: readonly TokenKey[],
    since: readonly TokenKey[],
  ) {
    for (const identity of since) this.add(identity);
  }

  /** By how many messages the new call is behind. With a message that is new, it is not behind any more. */
  get behind(): number {
    return this.#newOnes === 0 ? this.#missing : 0;
  }

  /** Called when the old call has delivered a message in the meantime. */
  add(identity: TokenKey): void {
    this.#after ??= new Map();
    this.#after.set(identity, (this.#after.get(identity) ?? 0) + 1);
    this.#missing++;
    this.length += lengthOf(identity);
  }

  /** Whether a message of the new call has been delivered already. */
  take(identity: TokenKey | undefined): boolean {
    if (identity === undefined) return false;
    const i = this.withToken.indexOf(identity);
    if (i >= 0) {
      this.withToken = this.withToken.toSpliced(i, 1);
      return true;
    }
    const count = this.#after?.get(identity);
    if (count === undefined) return false;
    if (count === 1) this.#after!.delete(identity);
    else this.#after!.set(identity, count - 1);
    this.#missing--;
    this.length -= lengthOf(identity);
    return true;
  }

  /**
   * Called with a message that is new; returns whether repetitions may follow. After a new token those of the old one are
   * over. The others may come later, from a server that merges sources in no fixed order.
   */
  passed(hasToken: boolean): boolean {
    this.#newOnes++;
    if (hasToken) this.withToken = [];
    return this.withToken.length > 0 || (this.#missing > 0 && this.#newOnes < MAX_REMEMBERED);
  }
}
