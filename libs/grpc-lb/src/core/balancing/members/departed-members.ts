import type { Carrier } from './link.js';
import type { Member } from './member.js';

/**
 * Members that discovery no longer lists. They get no new calls from the start, and are gone when their last call has
 * ended.
 */
export class DepartedMembers<C extends Carrier> {
  readonly #members = new Map<string, Member<C>>();
  /** Those that have not begun to drain; thousands do so in several turns. */
  readonly #toDrain = new Set<Member<C>>();

  get all(): Iterable<Member<C>> {
    return this.#members.values();
  }

  has(member: Member<C>): boolean {
    return this.#members.get(member.key) === member;
  }

  add(member: Member<C>): void {
    this.#members.set(member.key, member);
    this.#toDrain.add(member);
  }

  /** Lets up to `count` of them drain; returns how many are left to do so. */
  drain(count: number): number {
    for (const member of this.#toDrain) {
      if (count-- === 0) break;
      this.#toDrain.delete(member);
      member.drain();
    }
    return this.#toDrain.size;
  }

  /** Takes out a member that is listed again. */
  takeBack(key: string): Member<C> | undefined {
    const member = this.#members.get(key);
    if (!member) return undefined;
    this.#members.delete(key);
    if (!this.#toDrain.delete(member)) member.revive();
    return member;
  }

  /** Forgets a member whose last call has ended; returns false if it is not one of these. */
  delete(member: Member<C>): boolean {
    if (!this.has(member)) return false;
    this.#toDrain.delete(member);
    return this.#members.delete(member.key);
  }
}
