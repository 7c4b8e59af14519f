import type { Cancel, Clock } from '../../clock.js';

/** How long what an endpoint says of itself holds without being repeated: a degraded endpoint may get no calls. */
const HOLDS_MS = 10_000;

const LISTED = 'discovery lists it as degraded';

/**
 * Whether an endpoint answers, but others should be preferred to it: because discovery lists it so, or because it says
 * so itself at the end of its calls.
 */
export class Degradation {
  #listed = false;
  #said: string | undefined;
  #until = 0;
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
   * @param reason Undefined if it is not degraded.
   */
  say(reason: string | undefined): void {
    if (reason === undefined) {
      if (this.#said !== undefined) this.#unsay();
      return;
    }
    this.#until = this.clock.now() + HOLDS_MS;
    const said = reason === '' ? '' : `: ${reason}`;
    if (said === this.#said) return;
    this.#said = said;
    this.#cancel ??= this.clock.after(HOLDS_MS, this.#lapse);
    this.changed();
  }

  close(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    this.#said = undefined;
  }

  readonly #lapse = (): void => {
    const left = this.#until - this.clock.now();
    // It has been repeated in the meantime.
    if (left > 0) this.#cancel = this.clock.after(left, this.#lapse);
    else this.#unsay();
  };

  #unsay(): void {
    this.close();
    this.changed();
  }
}
