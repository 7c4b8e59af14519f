/** A call that has started and not ended. */
export abstract class OpenCall {
  /** @internal Its neighbors among the open calls. */
  before: OpenCall | undefined;
  /** @internal */
  after: OpenCall | undefined;

  /** Its receiver gets the error, and the server sees the call canceled. */
  abstract giveUp(error: unknown): void;
}

/** The open calls of a client, as a linked list: a set costs each call more, in time and in memory. */
export class OpenCalls {
  #first: OpenCall | undefined;

  get isEmpty(): boolean {
    return this.#first === undefined;
  }

  add(call: OpenCall): void {
    const first = this.#first;
    if (first) first.before = call;
    call.after = first;
    this.#first = call;
  }

  /** Ignores a call that is not open any more. */
  delete(call: OpenCall): void {
    const { before, after } = call;
    if (before) before.after = after;
    else if (this.#first === call) this.#first = after;
    if (after) after.before = before;
    call.before = call.after = undefined;
  }

  /** Ends all of them with this error. */
  giveUp(error: unknown): void {
    // One that is given up may make its receiver end others.
    for (let call; (call = this.#first); this.delete(call)) call.giveUp(error);
  }
}
