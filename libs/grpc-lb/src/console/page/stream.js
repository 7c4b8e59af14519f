/** The stream of the application, which comes back by itself: with growing delays, and only while the page is seen. */

const FIRST_DELAY_MS = 1000;
const LONGEST_DELAY_MS = 30_000;
/** A hidden page costs the application work that nobody looks at. */
const HIDDEN_MS = 60_000;

export class Stream {
  #source;
  #query = '';
  #failures = 0;
  #timer;
  #hiding;
  #handlers;
  #onState;

  /**
   * @param handlers By the type of the event.
   * @param onState Is told `live`, `waiting` with the delay, `ended` or `hidden`.
   */
  constructor(handlers, onState) {
    this.#handlers = handlers;
    this.#onState = onState;
    document.addEventListener('visibilitychange', () => this.#visibilityChanged());
  }

  /** Opens the stream for a view, in place of the one before. */
  open(query) {
    this.#query = query;
    this.#connect();
  }

  #connect() {
    this.#close();
    const source = new EventSource(new URL(`../stream?${this.#query}`, import.meta.url));
    this.#source = source;
    for (const [type, handle] of Object.entries(this.#handlers)) {
      source.addEventListener(type, ({ data }) => {
        if (this.#source !== source) return;
        this.#failures = 0;
        this.#onState('live');
        handle(JSON.parse(data));
      });
    }
    source.addEventListener('bye', () => {
      if (this.#source === source) this.#again('ended');
    });
    source.addEventListener('error', () => {
      if (this.#source === source) this.#again('waiting');
    });
  }

  #again(state) {
    this.#close();
    const longest = Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** this.#failures++);
    // Pages that lost the same application do not come back together.
    const delay = longest * (0.5 + Math.random() / 2) + (state === 'ended' ? FIRST_DELAY_MS : 0);
    this.#onState(state, delay);
    this.#timer = setTimeout(() => this.#connect(), delay);
  }

  #close() {
    clearTimeout(this.#timer);
    this.#source?.close();
    this.#source = undefined;
  }

  #visibilityChanged() {
    clearTimeout(this.#hiding);
    if (document.hidden) {
      this.#hiding = setTimeout(() => {
        this.#close();
        this.#onState('hidden');
      }, HIDDEN_MS);
    } else if (!this.#source) this.#connect();
  }
}
