import type { Cancel, Clock } from '../core/clock.js';
import { printableError } from '../core/printable.js';
import { jittered, type Random } from '../core/random.js';
import { TokenBucket } from '../core/token-bucket.js';
import { dateText, defaultNotice, duration } from './expiry.js';
import { type LoadedTls, loadTls, type Requirements } from './loaded-tls.js';
import { type Look, type PemReader, type PemTexts, sameTexts } from './material.js';
import { TlsFault } from './pem.js';

const JITTER = 0.2;
/** One replacement causes several events. */
const EVENT_DELAY_MS = 50;
/** So many changes in a row are looked at that soon; then, as in a directory of logs, about one a second. */
const QUICK_LOOKS = 20;
/** Certificate and key that are replaced one after the other do not fit for a moment: look again before reporting. */
const SECOND_LOOK_MS = 1000;

/** What happens to certificates. */
export type TlsEvent =
  /** Other certificates are in force. */
  | { readonly type: 'rotated'; readonly loaded: LoadedTls; readonly first: boolean }
  /** What was read cannot be used: the last good ones stay in force. Once for each reason. */
  | { readonly type: 'rejected'; readonly reason: string }
  /** The certificate in force expires soon, or has expired. Once for each. */
  | { readonly type: 'expiring'; readonly expired: boolean; readonly text: string };

export interface TlsSourceEnvironment {
  readonly clock: Clock;
  readonly random: Random;
  /** Milliseconds since the epoch, for the dates in certificates. */
  readonly epoch: () => number;
  readonly listener: (event: TlsEvent) => void;
  /** Runs what outlives a call outside of its async context. */
  readonly outside: <T>(action: () => T) => T;
}

export interface TlsSourceOptions extends Requirements {
  readonly refreshInterval: number;
  /** Undefined for the default, which depends on the certificate. */
  readonly expiryWarning: number | undefined;
  /** What is wrong, with the option or the file. */
  readonly textOf: (fault: TlsFault) => string;
}

/** Keeps the last good certificates of one client or server, and looks for newer ones. */
export class TlsSource {
  /** The certificates in force; undefined until a provider has answered. */
  current: LoadedTls | undefined;
  /** Why what was read last is not in force; null if it is. */
  error: string | null = null;
  /** When what was read last was found good, in milliseconds since the epoch. */
  lastUpdate: number | null = null;
  /** How often other certificates came into force after the first ones. */
  rotations = 0;
  rejections = 0;
  #started = false;
  #stopped = false;
  #looking: Look | undefined;
  /** At what to look afterwards; undefined: at nothing. */
  #next: Look | undefined;
  #watched = false;
  #cancelPoll: Cancel = () => {};
  #cancelEvent: Cancel | undefined;
  #cancelSecondLook: Cancel = () => {};
  /** Since when what is read cannot be used, by the clock. */
  #suspectSince: number | undefined;
  #attempts = 0;
  readonly #quickLooks: TokenBucket;
  #warnedFor: { readonly fingerprint: string; readonly expired: boolean } | undefined;
  #settled: () => void = () => {};
  readonly #firstLook: Promise<void>;

  constructor(
    private readonly reader: PemReader,
    private readonly options: TlsSourceOptions,
    private readonly environment: TlsSourceEnvironment,
  ) {
    this.#quickLooks = new TokenBucket(QUICK_LOOKS, SECOND_LOOK_MS, environment.clock);
    this.#firstLook = new Promise((resolve) => (this.#settled = resolve));
  }

  /** Takes what was read and checked when the options were. */
  begin(loaded: LoadedTls): void {
    this.current = loaded;
    this.lastUpdate = this.environment.epoch();
    this.#settled();
  }

  /** Looks for newer certificates from now on. */
  start(): void {
    if (this.#started || this.#stopped) return;
    this.#started = true;
    this.environment.outside(() => this.#poll());
  }

  /** Resolves when there are certificates, or when the first attempt to get some has failed. */
  ready(): Promise<void> {
    this.start();
    return this.#firstLook;
  }

  stop(): void {
    this.#stopped = true;
    this.#cancelPoll();
    this.#cancelEvent?.();
    this.#cancelSecondLook();
    this.reader.close();
    this.#settled();
  }

  /** The first end of the validity of what this side sends; null if it sends nothing. */
  get until(): number | null {
    return this.current?.own?.until ?? null;
  }

  /** Whether the certificate in force ends soon, or has ended. */
  get expiring(): boolean {
    const own = this.current?.own;
    return (
      own !== undefined && own.until - this.environment.epoch() <= (this.options.expiryWarning ?? defaultNotice(own))
    );
  }

  #poll(): void {
    const { clock, random } = this.environment;
    this.#cancelPoll();
    this.#cancelPoll = clock.after(jittered(random, this.options.refreshInterval, JITTER), () => this.#poll());
    this.#warnOfExpiry();
    if (this.#looking !== 'all') this.#lookAt('all');
  }

  readonly #changed = (): void => {
    if (this.#stopped || this.#cancelEvent) return;
    const delay = this.#quickLooks.take() ? EVENT_DELAY_MS : SECOND_LOOK_MS;
    this.#cancelEvent = this.environment.clock.after(delay, () => {
      this.#cancelEvent = undefined;
      this.#lookAt('files');
    });
  };

  #lookAt(what: Look): void {
    if (!this.#looking) void this.#look(what);
    else if (this.#next !== 'all') this.#next = what;
  }

  #lookAgainIn(delayMs: number): void {
    this.#cancelSecondLook();
    this.#cancelSecondLook = this.environment.clock.after(delayMs, () => this.#lookAt('all'));
  }

  async #look(first: Look): Promise<void> {
    this.#next = first;
    while (this.#next && !this.#stopped) {
      const what = (this.#looking = this.#next);
      this.#next = undefined;
      const { reader } = this;
      // To determine what must be watched takes many turns of the event loop, and what has been reported is there now.
      if (this.#watched && reader.readNow) this.#take(await this.#checked(() => reader.readNow!()));
      // Polling finds what cannot be watched.
      await reader.watch(this.#changed);
      this.#watched = true;
      if (this.#stopped) break;
      // What changed before it was watched.
      this.#take(await this.#checked(() => reader.read(what)));
      this.#settled();
    }
    this.#looking = undefined;
  }

  #take(found: LoadedTls | string): void {
    if (this.#stopped) return;
    if (typeof found === 'string') this.#reject(found);
    else this.#adopt(found);
  }

  /** Certificates that can be used, or why there are none. */
  async #checked(read: () => PemTexts | Promise<PemTexts>): Promise<LoadedTls | string> {
    try {
      const texts = await read();
      const { current } = this;
      // Those in force stay in force, even when they have expired.
      return current && sameTexts(texts, current.texts) ? current : this.#loaded(texts);
    } catch (error) {
      return error instanceof TlsFault ? this.options.textOf(error) : printableError(error, 200);
    }
  }

  #loaded(texts: PemTexts): LoadedTls {
    return loadTls(texts, this.options, this.environment.epoch());
  }

  #adopt(found: LoadedTls): void {
    this.#suspectSince = undefined;
    this.error = null;
    this.lastUpdate = this.environment.epoch();
    if (found === this.current) return;
    const first = this.current === undefined;
    this.current = found;
    if (!first) this.rotations++;
    this.environment.listener({ type: 'rotated', loaded: found, first });
    this.#warnOfExpiry();
  }

  #reject(reason: string): void {
    const now = this.environment.clock.now();
    this.#suspectSince ??= now;
    if (this.current === undefined) {
      // Calls wait for the first ones.
      this.#lookAgainIn(Math.min(SECOND_LOOK_MS * 2 ** this.#attempts++, this.options.refreshInterval));
    } else if (this.error === null && now - this.#suspectSince < SECOND_LOOK_MS) {
      return this.#lookAgainIn(SECOND_LOOK_MS);
    }
    if (reason === this.error) return;
    this.error = reason;
    this.rejections++;
    this.environment.listener({ type: 'rejected', reason });
  }

  #warnOfExpiry(): void {
    const own = this.current?.own;
    if (!own || !this.expiring) return;
    const left = own.until - this.environment.epoch();
    const expired = left <= 0;
    if (this.#warnedFor?.fingerprint === own.fingerprint && this.#warnedFor.expired === expired) return;
    this.#warnedFor = { fingerprint: own.fingerprint, expired };
    const text = expired
      ? `the certificate of ${own.name} expired ${duration(-left)} ago, at ${dateText(own.until)}`
      : `the certificate of ${own.name} expires in ${duration(left)}, at ${dateText(own.until)}`;
    this.environment.listener({ type: 'expiring', expired, text });
  }
}
