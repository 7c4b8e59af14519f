import type { Cancel } from '../../core/clock.js';
import type { EndpointListener, EndpointSource, EndpointSourceContext } from '../../core/endpoint-source.js';
import { GrpcLbDiscoveryError } from '../../core/errors.js';
import { jittered } from '../../core/random.js';
import { type Format, MAX_SIZES, readDocument } from './document.js';
import { readEndpoints } from './endpoint-list.js';
import type { EffectiveFileOptions } from './file-options.js';
import type { WatchedFile } from './watched-file.js';

const JITTER = 0.2;
/** One change causes several events. */
const EVENT_DELAY_MS = 10;
const MIN_REFRESH_INTERVAL_MS = 1000;
/** A longer check is reported: another process keeps writing the file, or its file system does not respond. */
const SLOW_MS = 10_000;

/** A version that stands for an unreadable file, so that the source can wait for that to change as well. */
const FAILED = 'failed: ';

/** Reads a file whenever it has changed, and reports its endpoints. */
export class FileSource implements EndpointSource {
  #listener!: EndpointListener;
  #stopped = false;
  #cancelPoll: Cancel = () => {};
  /** When the next poll is due, by the clock. */
  #pollAt = Infinity;
  #cancelEvent: Cancel | undefined;
  /** Cancels the wait of the check in progress; checks never overlap. */
  #cancelSettle: Cancel = () => {};
  #looking = false;
  #lookAgain = false;
  #lookedAt = -Infinity;
  #slowTold = false;
  /** The version and text that were last read and reported. */
  #version: string | undefined;
  #text: string | undefined;
  /**
   * The file is read once more after a while: file systems with timestamps in seconds hide a second change within one.
   */
  #unsure = true;

  constructor(
    private readonly file: WatchedFile,
    private readonly options: EffectiveFileOptions,
    private readonly context: EndpointSourceContext,
  ) {}

  start(listener: EndpointListener): void {
    this.#listener = listener;
    this.#poll();
  }

  /** Polls now, or a second after the last look. A poll that is due sooner stays. */
  refresh(): void {
    if (this.#lookedAt === -Infinity || this.#stopped) return;
    const due = Math.min(this.#lookedAt + MIN_REFRESH_INTERVAL_MS, this.#pollAt);
    this.#pollIn(Math.max(0, due - this.context.clock.now()));
  }

  stop(): void {
    this.#stopped = true;
    this.#cancelPoll();
    this.#cancelEvent?.();
    this.#cancelSettle();
    this.file.close();
  }

  #pollIn(delayMs: number): void {
    const { clock } = this.context;
    this.#cancelPoll();
    this.#pollAt = clock.now() + delayMs;
    this.#cancelPoll = clock.after(delayMs, () => this.#poll());
  }

  #poll(): void {
    this.#pollIn(jittered(this.context.random, this.options.pollInterval, JITTER));
    if (!this.#looking) void this.#look(this.#unsure);
    else if (!this.#slowTold && this.context.clock.now() - this.#lookedAt >= SLOW_MS) {
      this.#slowTold = true;
      this.#unsure = true;
      this.#fail('cannot be read completely: another process keeps writing it, or its file system does not respond');
    }
  }

  readonly #changed = (): void => {
    if (this.#stopped) return;
    this.#cancelEvent ??= this.context.clock.after(EVENT_DELAY_MS, () => {
      this.#cancelEvent = undefined;
      if (this.#looking) this.#lookAgain = true;
      else void this.#look(false);
    });
  };

  async #look(whateverVersion: boolean): Promise<void> {
    this.#looking = true;
    this.#slowTold = false;
    this.#lookedAt = this.context.clock.now();
    do {
      this.#lookAgain = false;
      const trouble = await this.file.watch(this.#changed);
      const version = await this.#currentVersion();
      if (this.#stopped) return;
      if (trouble)
        this.#warn(`cannot be watched, so changes are noticed up to ${this.#every} later: ${trouble.message}`);
      if (this.#stopped || (version === this.#version && !whateverVersion)) continue;
      await this.#settled();
      if (version === (await this.#currentVersion())) await this.#read(version);
      else this.#lookAgain = true;
    } while (this.#lookAgain && !this.#stopped);
    this.#looking = false;
  }

  get #format(): Format {
    return this.file.path.endsWith('.json') ? 'json' : 'yaml';
  }

  get #maxSize(): number {
    return this.options.maxSize ?? MAX_SIZES[this.#format];
  }

  get #every(): string {
    return `${this.options.pollInterval / 1000} s`;
  }

  async #currentVersion(): Promise<string> {
    try {
      return await this.file.version();
    } catch (error) {
      return `${FAILED}${(error as Error).message}`;
    }
  }

  #settled(): Promise<void> {
    const { settleTime } = this.options;
    return new Promise((resolve) => (this.#cancelSettle = this.context.clock.after(settleTime, resolve)));
  }

  /** A file that changes while it is read is left for the next check. */
  async #read(version: string): Promise<void> {
    if (this.#stopped) return;
    const result = version.startsWith(FAILED) ? version.slice(FAILED.length) : await this.#content();
    if (this.#stopped) return;
    if (typeof result === 'string') {
      this.#unsure = true;
      this.#version = version;
      this.#fail(result);
    } else if (result.versions.some((read) => read !== version)) {
      this.#lookAgain = true;
    } else {
      this.#unsure = version !== this.#version;
      this.#version = version;
      this.#tell(result.text);
    }
  }

  /** The text, or the error. */
  async #content(): Promise<{ text: string; versions: readonly string[] } | string> {
    try {
      return await this.file.read(this.#maxSize);
    } catch (error) {
      return (error as Error).message;
    }
  }

  #tell(text: string): void {
    if (text === this.#text) return;
    let list;
    try {
      list = readEndpoints(readDocument(text, this.#format, this.#maxSize));
    } catch (error) {
      return this.#fail((error as Error).message);
    }
    this.#text = text;
    this.#listener.onEndpoints(list.endpoints, { authoritative: true });
    if (list.warning) this.#warn(list.warning);
  }

  #fail(reason: string): void {
    // The previous content must be reported again if it returns.
    this.#text = undefined;
    this.#listener.onError(new GrpcLbDiscoveryError(this.#about(reason)));
  }

  /** The listener may have stopped the source when it received the endpoints. */
  #warn(warning: string): void {
    if (!this.#stopped) this.#listener.onWarning(this.#about(warning));
  }

  /** Node's own messages already contain the path: `ENOENT: no such file or directory, stat '/etc/orders.yaml'`. */
  #about(text: string): string {
    return text.includes(this.file.path) ? text : `${this.file.path} ${text}`;
  }
}
