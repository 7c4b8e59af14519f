import type { MessageFacts } from './message-facts.js';
import { MAX_REMEMBERED_LENGTH } from './position.js';
import type { StreamCall } from './stream-call.js';

/** The most messages of the old call that wait for the new one. Their size is not known here, so they are few. */
const MAX_HELD = 16;
/** The most messages by which the new call may be behind before the old one waits for it. */
const MAX_BEHIND = 1000;

/** A move under way: the old call delivers until the new one is level with it. */
export class Handover<Msg, End> {
  /** Messages of the old call that nothing identifies, and those after them: the new call repeats them. */
  readonly held: MessageFacts<Msg>[] = [];

  constructor(readonly call: StreamCall<Msg, End>) {}

  /** Holds a message of the old call back, if it could not be recognized when the new call repeats it. */
  holds(facts: MessageFacts<Msg>): boolean {
    if (this.held.length === 0 && (facts.identity !== undefined || facts.isBookmark)) return false;
    this.held.push(facts);
    return true;
  }

  /** Whether the old call is not read until the new one has come closer. */
  get oldWaits(): boolean {
    const { behind, repeats } = this.call;
    return this.held.length >= MAX_HELD || behind >= MAX_BEHIND || (repeats?.length ?? 0) >= MAX_REMEMBERED_LENGTH;
  }
}
