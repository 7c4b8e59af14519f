import type { Cancel, Clock } from '../../core/clock.js';
import { jittered, type Random } from '../../core/random.js';
import { backoffMs } from '../../core/backoff.js';
import { listSlices } from './list-slices.js';
import { ApiError, isExpired, MalformedError, type SliceApi } from './slice-api.js';
import type { SliceStore } from './slice-store.js';

/** Between two requests that a refresh asks for. */
const MIN_REFRESH_MS = 1000;
/** A watch that has lived this long has worked, and the next one is opened at once. */
const STEADY_MS = 1000;
const JITTER = 0.2;
const MAX_BACKOFF_MS = 30_000;

/** Failures after which a watch may continue from where it was, as it may after no answer at all. */
const KEEPS_VERSION = new Set([401, 429, 502, 503]);

export interface SliceWatcherContext {
  readonly clock: Clock;
  readonly random: Random;
  readonly watchTimeout: number;
}

export interface SliceWatcherListener {
  /** The slices have changed, or are confirmed to be current again. */
  onCurrent(): void;
  /** Something failed, and is retried. */
  onError(error: unknown): void;
}

/**
 * Keeps a store equal to the state of the API server: a list, then a watch from the version of that list, and a new
 * watch from the last known version whenever one ends. A failure removes nothing from the store.
 */
export class SliceWatcher {
  readonly #stopped = new AbortController();
  /** The resourceVersion to watch from; empty if a new list is needed. */
  #version = '';
  /** That version was just listed: if it has already expired, something is wrong. */
  #fresh = false;
  /** The next watch that ends is followed by another at once. */
  #mayGoOn = true;
  /** Consecutive failures. */
  #failures = 0;
  #askedAt = -Infinity;
  #heardAt = -Infinity;
  /** The API server must not be asked before that time (`Retry-After`). */
  #notBefore = -Infinity;
  #watching: AbortController | undefined;
  /** The API server has accepted the watch. */
  #isOpen = false;
  /** The pause in progress; `until` is when it ends, by the clock. */
  #pausing: { readonly end: () => void; readonly until: number; cancel: Cancel } | undefined;

  constructor(
    private readonly api: SliceApi,
    private readonly store: SliceStore,
    private readonly listener: SliceWatcherListener,
    private readonly context: SliceWatcherContext,
  ) {}

  start(): void {
    void this.#run();
  }

  /**
   * Cuts a pause short (never makes it longer), and treats a silent watch as dead: a new one, from where the old one was, costs the API server
   * less than a list and delivers whatever was missed. A watch that is not accepted yet is left to its timeout: in an
   * outage, lost connections ask for a refresh all the time, and no watch would ever open or fail.
   */
  refresh(): void {
    const now = this.context.clock.now();
    if (this.#pausing) this.#endPauseAt(Math.max(this.#askedAt + MIN_REFRESH_MS, this.#notBefore));
    else if (this.#isOpen && now - Math.max(this.#heardAt, this.#askedAt) >= MIN_REFRESH_MS) this.#watching?.abort();
  }

  stop(): void {
    this.#stopped.abort();
    this.#watching?.abort();
    this.#pausing?.end();
  }

  get #isStopped(): boolean {
    return this.#stopped.signal.aborted;
  }

  async #run(): Promise<void> {
    while (!this.#isStopped) {
      let pause = 0;
      try {
        this.#askedAt = this.context.clock.now();
        this.#fresh = false;
        if (this.#version === '') await this.#list();
        if (!this.#isStopped) await this.#watch();
      } catch (error) {
        if (this.#isStopped) return;
        pause = this.#failed(error);
      }
      if (pause > 0 && !this.#isStopped) await this.#pause(pause);
    }
  }

  async #list(): Promise<void> {
    this.#version = await listSlices(this.api, this.store, this.#stopped.signal);
    this.#fresh = true;
    this.listener.onCurrent();
  }

  /** Resolves if the next watch may start at once, and rejects if it must wait. */
  async #watch(): Promise<void> {
    const { clock, random, watchTimeout } = this.context;
    const watching = new AbortController();
    this.#watching = watching;
    let openedAt = Infinity;
    let fault: Error | undefined;
    const onOpen = (): void => {
      if (watching.signal.aborted) return;
      openedAt = this.#heardAt = clock.now();
      this.#isOpen = true;
      // After a failure the list is known to be current again; otherwise it has just been reported.
      if (!this.#fresh) this.listener.onCurrent();
    };
    const onEvents = (events: readonly unknown[]): void => {
      if (watching.signal.aborted) return;
      this.#heardAt = clock.now();
      try {
        this.#apply(events);
      } catch (error) {
        fault = error as Error;
        watching.abort();
      }
    };
    try {
      const timeout = jittered(random, watchTimeout, JITTER);
      await this.api.watch(this.#version, timeout, { onOpen, onEvents }, watching.signal);
    } catch (error) {
      if (!watching.signal.aborted) fault = error as Error;
    } finally {
      this.#watching = undefined;
      this.#isOpen = false;
    }
    if (clock.now() - openedAt >= STEADY_MS) {
      this.#failures = 0;
      this.#fresh = false;
      this.#mayGoOn = true;
    }
    if (fault === undefined && watching.signal.aborted) return;
    this.#afterWatch(fault);
  }

  #apply(events: readonly unknown[]): void {
    let change = false;
    try {
      for (const event of events) {
        const { version, changed } = this.store.apply(event);
        this.#version = version;
        change ||= changed;
      }
    } finally {
      // Also reports the events before an invalid one.
      if (change) this.listener.onCurrent();
    }
  }

  #afterWatch(fault: Error | undefined): void {
    if (isExpired(fault) && !this.#fresh) {
      this.#version = '';
    } else if (fault instanceof ApiError || fault instanceof MalformedError || !this.#mayGoOn) {
      throw fault ?? new Error('watches end as soon as they open; check whether a proxy cuts them off');
    }
    // Watches end all the time, because of their timeout or their API server. But if the next one ends within a second,
    // there is another cause.
    this.#mayGoOn = false;
  }

  /** The time to wait. */
  #failed(error: unknown): number {
    const { clock, random } = this.context;
    const answered = error instanceof ApiError || error instanceof MalformedError;
    if (answered && !(error instanceof ApiError && KEEPS_VERSION.has(error.status))) this.#version = '';
    const backoff = backoffMs(this.#failures++, MAX_BACKOFF_MS, random);
    const asked = error instanceof ApiError ? error.retryAfterMs : 0;
    // Clients that got the same Retry-After must not return at the same time.
    const wait = asked === 0 ? backoff : Math.max(backoff, asked * (1 + JITTER * random()));
    this.#notBefore = asked === 0 ? -Infinity : clock.now() + wait;
    this.listener.onError(error);
    return wait;
  }

  #pause(delayMs: number): Promise<void> {
    return new Promise((resolve) => {
      const end = (): void => {
        this.#pausing?.cancel();
        this.#pausing = undefined;
        resolve();
      };
      const { clock } = this.context;
      this.#pausing = { end, until: clock.now() + delayMs, cancel: clock.after(delayMs, end) };
    });
  }

  #endPauseAt(at: number): void {
    if (!this.#pausing || at >= this.#pausing.until) return;
    const { clock } = this.context;
    const { end, cancel } = this.#pausing;
    cancel();
    if (at <= clock.now()) end();
    else this.#pausing.cancel = clock.after(at - clock.now(), end);
  }
}
