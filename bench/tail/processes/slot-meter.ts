import { SLOTS } from '../model/scenario.js';
import type { Slots } from '../model/slots.js';
import { sharedNow } from './shared-clock.js';

const STEP_MS = 500;
/** The server side's window has as many steps. */
const STEPS = 10;

/** The share of its slots that a backend has used over the last five seconds. */
export class SlotMeter {
  readonly #samples: { readonly at: number; readonly worked: number }[] = [];
  #timer: NodeJS.Timeout | undefined;

  constructor(private readonly slots: Slots) {
    this.#sample();
  }

  start(): void {
    this.#timer ??= setInterval(() => this.#sample(), STEP_MS).unref();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  utilization(): number {
    const first = this.#samples[0]!;
    const last = this.#samples.at(-1)!;
    return last.at > first.at ? (last.worked - first.worked) / (last.at - first.at) / SLOTS : 0;
  }

  #sample(): void {
    const at = sharedNow();
    this.#samples.push({ at, worked: this.slots.worked(at) });
    if (this.#samples.length > STEPS + 1) this.#samples.shift();
  }
}
