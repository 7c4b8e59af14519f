import { isDeepStrictEqual } from 'node:util';
import type { Cancel } from '../../core/clock.js';
import type { HealthNotOffered } from '../../core/events.js';
import type { EffectiveHealthOptions } from '../../core/options/health-options.js';
import type { ConnectionHealth } from '../../core/snapshot.js';
import { addressToString } from '../../core/endpoint.js';
import type { ConnectionSite } from './connection-site.js';
import { type HealthQuestion, HealthWatch } from './health-watch.js';
import { OrcaWatch } from './orca-watch.js';
import type { WatchPeer } from './watch-stream.js';

export interface WatchesOwner {
  healthKnown(health: ConnectionHealth, reason: string | null): void;
  /** Called when the watches take more streams, or fewer. */
  watchStreamsChanged(): void;
}

/** Why the health of a connection is not watched; it then counts as healthy. */
const WHY: Readonly<Record<HealthNotOffered, string>> = {
  UNIMPLEMENTED: 'the server has no health service',
  UNAUTHENTICATED: 'the health service refuses the watch with UNAUTHENTICATED',
  PERMISSION_DENIED: 'the health service refuses the watch with PERMISSION_DENIED',
  STREAM_LIMIT: 'the server allows too few streams for a health watch and calls',
};

/**
 * The streams that the client itself keeps open on one connection. Calls have precedence: a watch runs only if the peer
 * allows one stream more than the watches take, and the health watch comes before the load watch.
 */
export class ConnectionWatches {
  #health: HealthWatch | undefined;
  #asked: HealthQuestion | 'off' | 'no stream' | undefined;
  #orca: OrcaWatch | undefined;
  #known = false;
  #cancelLate: Cancel | undefined;

  constructor(
    private readonly peer: WatchPeer,
    private readonly site: ConnectionSite,
    private readonly owner: WatchesOwner,
  ) {}

  get #context() {
    return this.site.environment.context;
  }

  get #address(): string {
    return addressToString(this.site.address);
  }

  /** How many of the peer's streams the watches take. */
  get streams(): number {
    return Number(this.#health?.open ?? false) + Number(this.#orca?.open ?? false);
  }

  /** Starts and stops watches according to the options and the peer's stream limit. */
  arrange(peerLimit: number | undefined, reportInterval: number | undefined): void {
    const { health } = this.#context.loadBalancing;
    const room = (peerLimit ?? Infinity) - 1;
    this.#arrangeHealth(questionOf(health, room >= 1));
    this.#arrangeLoad(room >= 1 + Number(health.enabled) ? reportInterval : undefined);
    this.owner.watchStreamsChanged();
  }

  stop(): void {
    this.#cancelLate?.();
    this.#health?.stop();
    this.#orca?.stop();
  }

  #arrangeHealth(question: HealthQuestion | 'off' | 'no stream'): void {
    if (isDeepStrictEqual(question, this.#asked)) return;
    this.#asked = question;
    this.#cancelLate?.();
    this.#health?.stop();
    this.#health = undefined;
    if (question === 'off') this.#tell('disabled', null);
    else if (question === 'no stream') this.#notOffered('STREAM_LIMIT');
    else this.#watchHealth(question);
  }

  #watchHealth(question: HealthQuestion): void {
    const { clock, ownStall, random, loadBalancing } = this.#context;
    // A connection whose health is known keeps it until the new watch answers.
    if (!this.#known) {
      const { connectTimeout } = loadBalancing.pool;
      const late = `no answer from the health service within the connectTimeout of ${connectTimeout} ms`;
      this.#cancelLate = ownStall.after(connectTimeout, () => this.#tell('not_serving', late));
    }
    this.#health = new HealthWatch(this.peer, question, clock, random, {
      healthChanged: (health, reason) => this.#tell(health, reason),
      notOffered: (why) => this.#notOffered(why),
      backedOff: (reason) => this.#context.watchBackedOff(this.#address, 'health', reason),
      openChanged: () => this.owner.watchStreamsChanged(),
    });
  }

  #tell(health: ConnectionHealth, reason: string | null): void {
    this.#cancelLate?.();
    this.#known = true;
    this.owner.healthKnown(health, reason);
  }

  #notOffered(why: HealthNotOffered): void {
    this.#context.healthNotOffered(this.#address, why);
    this.#tell('not_offered', WHY[why]);
  }

  #arrangeLoad(interval: number | undefined): void {
    if (this.#orca?.interval === interval) return;
    this.#orca?.stop();
    this.#orca = undefined;
    if (interval === undefined) return;
    const { owner } = this;
    const context = this.#context;
    const address = this.#address;
    this.#orca = new OrcaWatch(this.peer, interval, context.clock, context.random, {
      reported: this.site.onLoadReport,
      rejected: () => context.loadReportRejected(address),
      notOffered: () => context.loadReportsNotOffered(),
      backedOff: (reason) => context.watchBackedOff(address, 'load_reports', reason),
      openChanged: () => owner.watchStreamsChanged(),
    });
  }
}

function questionOf(
  { enabled, service, metadata }: EffectiveHealthOptions,
  fits: boolean,
): HealthQuestion | 'off' | 'no stream' {
  if (!enabled) return 'off';
  return fits ? { service, metadata } : 'no stream';
}
