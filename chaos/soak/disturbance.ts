import { setTimeout as delay } from 'node:timers/promises';
import { type Random, randomBelow } from '../../libs/grpc-lb/src/core/random.js';
import type { Backend } from '../backend.js';
import { now } from '../clock.js';

const KINDS = ['kill', 'stop', 'restart', 'ill'] as const;
type Kind = (typeof KINDS)[number];

/** While one of these lasts, a call in flight to its victim may fail. */
export interface Trouble {
  readonly kind: 'kill' | 'stop';
  readonly victim: string;
  readonly from: number;
  /** Infinity while it lasts. */
  to: number;
}

/** Never more than this many backends are in trouble at once: the others have to carry the load. */
const AT_ONCE = 2;

/**
 * Kills, stops, restarts and takes out of service, at random and one after the other. What happens is decided by the
 * seed; the times depend on the machine too.
 */
export class Disturbance {
  readonly troubles: Trouble[] = [];
  readonly counts: Record<Kind, number> = { kill: 0, stop: 0, restart: 0, ill: 0 };
  readonly #busy = new Map<Backend, Promise<void>>();

  constructor(
    private readonly backends: readonly Backend[],
    private readonly random: Random,
  ) {}

  /** Goes on for so many milliseconds, and until all backends are healthy again. */
  async run(duration: number): Promise<void> {
    const end = now() + duration;
    while (now() < end) {
      if (this.#busy.size < AT_ONCE) this.#disturb();
      await delay(this.#between(500, 2500));
    }
    await Promise.all(this.#busy.values());
  }

  /** What could have made a call fail that was sent there, and had not ended. */
  explanation(victim: string, from: number, to: number): Trouble['kind'] | undefined {
    const trouble = this.troubles.find((each) => each.victim === victim && each.from <= to && each.to >= from);
    return trouble?.kind;
  }

  #disturb(): void {
    const free = this.backends.filter((backend) => !this.#busy.has(backend));
    const victim = free[randomBelow(this.random, free.length)]!;
    const kind = KINDS[randomBelow(this.random, KINDS.length)]!;
    this.counts[kind]++;
    const done = this[kind](victim).finally(() => this.#busy.delete(victim));
    this.#busy.set(victim, done);
  }

  private async kill(victim: Backend): Promise<void> {
    await this.#trouble('kill', victim, async () => {
      await victim.end();
      await delay(this.#between(100, 2000));
      await victim.start();
    });
  }

  private async stop(victim: Backend): Promise<void> {
    await this.#trouble('stop', victim, async () => {
      victim.stop();
      await delay(this.#between(200, 5000));
      victim.continue();
    });
  }

  private async restart(victim: Backend): Promise<void> {
    await victim.terminate();
    await victim.start();
  }

  private async ill(victim: Backend): Promise<void> {
    await victim.set({ health: 'NOT_SERVING' });
    await delay(this.#between(200, 2000));
    await victim.set({ health: 'SERVING' });
  }

  async #trouble(kind: Trouble['kind'], victim: Backend, action: () => Promise<void>): Promise<void> {
    const trouble: Trouble = { kind, victim: victim.address, from: now(), to: Infinity };
    this.troubles.push(trouble);
    await action();
    trouble.to = now();
  }

  #between(from: number, to: number): number {
    return from + this.random() * (to - from);
  }
}
