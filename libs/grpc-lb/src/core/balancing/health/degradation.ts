import type { Cancel, Clock } from '../../clock.js';

/** How long what an endpoint says of itself holds without being repeated: a degraded endpoint may get no calls. */
const HOLDS_MS = 10_000;
/**
 * How often an endpoint may change what it says: the route is recomputed each time. Of the processes behind one address
 * one may be degraded and another not, or the reason may hold a number.
 */
const LEAST_MS = 1000;

const LISTED = 'discovery lists it as degraded';

/**
 * Whether an endpoint answers, but others should be preferred to it: because discovery lists it so, or because it says
 * so itself at the end of its calls.
 */
export class Degradation {
  #listed = false;
  #said: string | undefined;
  /** When it said so last, and when it last said something else than before. */
  #saidAt = 0;
  #changedAt = 0;
  #cancel: Cancel | undefined;

  constructor(
    private readonly clock: Clock,
    private readonly changed: () => void,
  ) {}

  /** Why the endpoint is degraded; undefined if it is not. */
  get reason(): string | undefined {
    return this.#said === undefined ? (this.#listed ? LISTED : undefined) : `it says that it is degraded${this.#said}`;
  }

  /** What discovery says. Does not call back: discovery changes many endpoints at once. */
  list(degraded: boolean): void {
    this.#listed = degraded;
  }

  /**
   * What the endpoint says.
   *
   * @param reason Undefined if it is not degraded; that ends what it has said at least a second before.
   */
  say(reason: string | undefined): void {
    const now = this.clock.now();
    if (reason === undefined) {
      if (this.#said !== undefined && now - this.#saidAt >= LEAST_MS) this.#unsay();
      return;
    }
    this.#saidAt = now;
    const said = reason === '' ? '' : `: ${reason}`;
    if (said === this.#said || (this.#said !== undefined && now - this.#changedAt < LEAST_MS)) return;
    this.#said = said;
    this.#changedAt = now;
    this.#cancel ??= this.clock.after(HOLDS_MS, this.#lapse);
    this.changed();
  }

  close(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    this.#said = undefined;
  }

  readonly #lapse = (): void => {
    const left = this.#saidAt + HOLDS_MS - this.clock.now();
    // It has been repeated in the meantime.
    if (left > 0) this.#cancel = this.clock.after(left, this.#lapse);
    else this.#unsay();
  };

  #unsay(): void {
    this.close();
    this.changed();
  }
}
