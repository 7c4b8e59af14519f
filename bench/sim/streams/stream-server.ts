/** One backend of long streams. */
export class StreamServer {
  /** Whether discovery names it. */
  listed = true;
  /** Whether it runs. */
  alive = true;
  /** Open streams, of all clients. */
  open = 0;
  /** Streams opened in the current second, and in the busiest one since the measured time began. */
  #second = -1;
  #arrivals = 0;
  busiest = 0;

  constructor(
    readonly index: number,
    private readonly measuredFrom: number,
  ) {}

  get key(): string {
    return `10.0.${this.index >> 8}.${this.index & 255}:50051`;
  }

  opened(now: number): void {
    this.open++;
    if (now < this.measuredFrom) return;
    const second = Math.floor(now / 1000);
    if (second !== this.#second) this.#arrivals = 0;
    this.#second = second;
    this.busiest = Math.max(this.busiest, ++this.#arrivals);
  }
}
