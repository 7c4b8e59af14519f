/** How far a call counts when the next one to the same endpoint is sent, and to any endpoint. */
const FADE = 0.9;
const COMMON_FADE = 0.99;
/** An endpoint is late if it is with this part of its calls, and so many times as often as all are. */
const MOST = 0.5;
const TIMES = 4;

/** Calls that were sent, and how many of them have not been answered within the delay of a hedge. */
class Lateness {
  #sent = 0;
  #late = 0;

  constructor(private readonly fade: number) {}

  sent(): void {
    this.#sent = this.#sent * this.fade + 1;
    this.#late *= this.fade;
  }

  late(): void {
    this.#late++;
  }

  get share(): number {
    return this.#sent === 0 ? 0 : this.#late / this.#sent;
  }
}

/**
 * Which endpoints keep the calls of a method waiting, unlike the others. The delay of a hedge is one that few calls
 * exceed, so an endpoint of which the first counted calls exceed it is known as late with the first of them; one with
 * much work now and then is not.
 */
export class LateEndpoints {
  readonly #all = new Lateness(COMMON_FADE);
  readonly #each = new WeakMap<object, Lateness>();

  /** Called when a call is sent whose delay is known. */
  sent(endpoint: object): void {
    let lateness = this.#each.get(endpoint);
    if (!lateness) this.#each.set(endpoint, (lateness = new Lateness(FADE)));
    lateness.sent();
    this.#all.sent();
  }

  /** Called when it has not been answered within the delay. */
  late(endpoint: object): void {
    this.#each.get(endpoint)?.late();
    this.#all.late();
  }

  /** Whether the endpoint is late much more often than all together: if all are, a hedge would be late as well. */
  includes(endpoint: object): boolean {
    const { share = 0 } = this.#each.get(endpoint) ?? {};
    return share > MOST && share > TIMES * this.#all.share;
  }
}
