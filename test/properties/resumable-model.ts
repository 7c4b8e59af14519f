import type { ResumeRules } from '../../libs/grpc-lb/src/core/resume/resume-rules.js';
import { ResumableStream, type StreamOwner } from '../../libs/grpc-lb/src/core/resume/resumable-stream.js';
import type { OpenedCall, StreamListener } from '../../libs/grpc-lb/src/core/resume/stream-call.js';
import { randomBelow, seededRandom } from '../../libs/grpc-lb/src/core/random.js';
import { FakeClock } from '../support/time/fake-clock.js';

export const OK = 0;
export const OUT_OF_RANGE = 11;
const UNAVAILABLE = 14;

/** What a server does of what servers may do. */
export interface World {
  readonly seed: number;
  /** Messages in the log. */
  readonly length: number;
  /** Every so many messages have a token; the others have none. */
  readonly tokenEvery: number;
  /** Whether `dedupe` identifies the messages; else only tokens do. */
  readonly identified: boolean;
  /** Whether tokens come as bookmarks, between messages that have none. */
  readonly bookmarks: boolean;
  /** How many messages before its token a new stream begins. */
  readonly overlap: number;
  /** Mean milliseconds between two messages that are written to the log. */
  readonly pace: number;
  /** Whether servers send headers at once. */
  readonly headers: boolean;
  /** Chances, for each step. */
  readonly kill: number;
  readonly move: number;
  /** Chance that a call fails before it says anything, ends early or stays silent. */
  readonly bad: number;
  /** Whether the subscriber pauses now and then. */
  readonly pauses: boolean;
}

interface Message {
  /** Undefined for a bookmark. */
  readonly n: number | undefined;
  readonly token: string | undefined;
}

interface End {
  readonly code: number;
  readonly details: string;
  readonly beginAgain: boolean;
  readonly sent: boolean;
  readonly local: boolean;
}

interface Request {
  readonly after: string | undefined;
}

/** A server's side of a call: sends the log from a place on, as it is read. */
class ServedCall implements OpenedCall {
  readonly since: number;
  open = true;
  #wanted = 0;
  #next: number;
  #bookmarked: number;

  constructor(
    private readonly run: Run,
    after: number,
    private readonly listener: StreamListener<Message, End>,
  ) {
    this.since = run.clock.now();
    this.#next = after;
    this.#bookmarked = after;
    run.later(() => this.#begin());
  }

  read(): void {
    this.#wanted++;
    this.run.later(() => this.#send());
  }

  cancel(): void {
    this.open = false;
    this.run.calls.delete(this);
  }

  end(code: number, beginAgain = false): void {
    if (!this.open) return;
    this.cancel();
    this.listener.onEnd({ code, details: 'scripted', beginAgain, sent: true, local: false });
  }

  #begin(): void {
    const { run } = this;
    if (!this.open) return;
    if (run.chance(run.world.bad)) {
      // A silent peer is given up when it does not answer PINGs.
      if (run.chance(0.3)) {
        this.listener.onSent();
        run.later(() => this.end(UNAVAILABLE), 2000);
      } else this.end(run.random() < 0.8 ? UNAVAILABLE : OUT_OF_RANGE);
      return;
    }
    this.listener.onSent();
    if (run.world.headers) this.listener.onHeaders();
    this.#begun = true;
    this.#send();
  }

  #begun = false;

  #send(): void {
    const { world } = this.run;
    if (!this.open || !this.#begun || this.#wanted === 0) return;
    if (this.#next >= this.run.written) {
      if (this.run.written < world.length) return this.run.later(() => this.#send(), world.pace);
      return this.end(OK);
    }
    this.#wanted--;
    const atToken = this.#next > 0 && this.#next % world.tokenEvery === 0;
    if (world.bookmarks && atToken && this.#bookmarked < this.#next) {
      this.#bookmarked = this.#next;
      return this.listener.onMessage({ n: undefined, token: String(this.#next) });
    }
    const n = ++this.#next;
    const token = !world.bookmarks && n % world.tokenEvery === 0 ? String(n) : undefined;
    this.listener.onMessage({ n, token });
    if (this.open && this.#wanted > 0) this.run.later(() => this.#send());
  }
}

/** One subscription in a world, from its beginning to its end. */
export class Run {
  readonly clock = new FakeClock();
  readonly random;
  readonly delivered: number[] = [];
  readonly calls = new Set<ServedCall>();
  written = 0;
  mostOpen = 0;
  moves = 0;
  end: { readonly code: number; readonly note: string | undefined } | undefined;
  error: unknown;
  #wants = true;
  readonly #stream: ResumableStream<Request, Message, End>;

  constructor(readonly world: World) {
    this.random = seededRandom(world.seed);
    const rules: ResumeRules<Request, Message, End> = {
      subject: 'test',
      token: ({ token }) => token,
      bookmark: ({ n }) => n === undefined,
      resume: (_, token) => ({ after: token as string }),
      dedupe: world.identified ? ({ n }) => n : undefined,
      codes: new Set([UNAVAILABLE]),
      gapCodes: new Set([]),
      maxAttempts: Infinity,
      initialBackoff: 100,
      maxBackoff: 1000,
      handoverTimeout: 500,
    };
    this.#stream = new ResumableStream(rules, { after: undefined }, this.#owner());
  }

  /** Runs to the end of the log, or until the stream has ended. */
  play(): this {
    const { world } = this;
    this.#stream.start();
    for (let step = 0; step < 20_000 && !this.end && !this.error; step++) {
      this.clock.advance(this.random() * 20);
      if (this.written < world.length && this.chance(20 / world.pace)) this.written += 1 + randomBelow(this.random, 3);
      this.written = Math.min(this.written, world.length);
      if (this.chance(world.kill))
        [...this.calls][randomBelow(this.random, this.calls.size)]?.end(UNAVAILABLE, this.chance(0.3));
      if (this.chance(world.move)) this.#stream.move();
      if (world.pauses && this.chance(0.1)) this.#setWants(!this.#wants);
      if (step > 10_000) this.#setWants(true);
    }
    return this;
  }

  stop(): void {
    this.#stream.stop();
  }

  chance(share: number): boolean {
    return this.random() < share;
  }

  later(action: () => void, within = 10): void {
    this.clock.after(this.random() * within, action);
  }

  #setWants(wants: boolean): void {
    this.#wants = wants;
    if (wants) this.#stream.pump();
  }

  #owner(): StreamOwner<Request, Message, End> {
    // oxlint-disable-next-line typescript/no-this-alias, unicorn/no-this-assignment
    const run = this;
    return {
      clock: this.clock,
      random: this.random,
      get wantsMore() {
        return run.#wants;
      },
      open: ({ after }, _why, listener) => {
        const from = after === undefined ? 0 : Math.max(0, Number(after) - this.world.overlap);
        const call = new ServedCall(this, from, listener);
        this.calls.add(call);
        this.mostOpen = Math.max(this.mostOpen, this.calls.size);
        return call;
      },
      deliver: ({ n }) => void this.delivered.push(n!),
      moved: () => void this.moves++,
      stayed: () => {},
      interrupted: () => {},
      ended: ({ code }, note) => (this.end = { code, note }),
      failed: (error) => (this.error = error),
    };
  }
}
