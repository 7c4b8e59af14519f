import type { ServerResponse } from 'node:http';

/** A page that reads nothing for this long is gone, or asleep: it comes back when it wakes up. */
const STUCK_MS = 30_000;

/** Server-sent events to one page. What a slow page has not read holds back what follows, instead of piling up. */
export class EventStream {
  #closed = false;
  /** By the result of `write` and the event: responses of HTTP/2 have no `writableNeedDrain`. */
  #needsDrain = false;
  /** Since when the page does not read; undefined while it does. */
  #stuckSince: number | undefined;

  /** @param onClose Called once, whoever closes it. */
  constructor(
    private readonly response: ServerResponse,
    headers: Readonly<Record<string, string>>,
    private readonly onClose: () => void,
  ) {
    response.on('close', () => this.#end());
    // The page has gone while something was written.
    response.on('error', () => this.#end());
    response.on('drain', () => (this.#needsDrain = false));
    response.writeHead(200, {
      ...headers,
      'content-type': 'text/event-stream; charset=utf-8',
      // Proxies and compressing middleware would hold events back.
      'cache-control': 'no-store, no-transform',
      'x-accel-buffering': 'no',
    });
    response.flushHeaders();
  }

  /** Whether the page has read what was sent. Closes the stream to a page that does not read for a long time. */
  ready(now: number): boolean {
    if (this.#closed) return false;
    if (!this.#needsDrain) {
      this.#stuckSince = undefined;
      return true;
    }
    this.#stuckSince ??= now;
    if (now - this.#stuckSince > STUCK_MS) this.response.destroy();
    return false;
  }

  /** Bytes that wait for the page to read. */
  get buffered(): number {
    return this.response.writableLength;
  }

  send(type: string, data: unknown): void {
    // JSON has no line breaks, so one line is one event.
    if (!this.#closed) this.#needsDrain = !this.response.write(`event: ${type}\ndata: ${JSON.stringify(data)}\n\n`);
  }

  /** Says goodbye and closes. */
  close(): void {
    if (this.#closed) return;
    this.send('bye', {});
    this.response.end();
    this.#end();
  }

  #end(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.onClose();
  }
}
