import type { TokenKey } from '../../libs/grpc-lb/src/core/resume/token-key.js';
import { RequestRelay, type RequestOutlet } from '../../libs/grpc-lb/src/core/resume/request-relay.js';
import type { ResumeRules } from '../../libs/grpc-lb/src/core/resume/resume-rules.js';
import { ResumableStream, type StreamOwner } from '../../libs/grpc-lb/src/core/resume/resumable-stream.js';
import type { OpenedCall, StreamListener } from '../../libs/grpc-lb/src/core/resume/stream-call.js';
import { randomBelow, seededRandom } from '../../libs/grpc-lb/src/core/random.js';
import { FakeClock } from '../support/time/fake-clock.js';

export const OK = 0;
const UNAVAILABLE = 14;

/** What the service and its servers do of what they may do. */
export interface BidiWorld {
  readonly seed: number;
  /** Requests with a key. */
  readonly length: number;
  /**
   * `log`: all requests become entries of one log, which each call delivers from its token on. `answers`: each call
   * answers the requests that it has received.
   */
  readonly service: 'log' | 'answers';
  readonly cumulative: boolean;
  /** Every so many messages acknowledge: the others have neither a token nor an acknowledgment. */
  readonly ackEvery: number;
  /** Requests that wait, at most. */
  readonly limit: number;
  /** Requests that a call takes before it has to be flushed. */
  readonly window: number;
  /** Whether some requests have no key. */
  readonly keyless: boolean;
  /** Whether servers send headers at once. */
  readonly headers: boolean;
  /** Chances, for each step. */
  readonly kill: number;
  readonly move: number;
  /** Chance that a call fails before it says anything, or stays silent. */
  readonly bad: number;
}

/** The nth request; without a number it has no key. */
export interface Request {
  readonly n?: number;
  /** Only in the request that opens a call: where its messages begin. */
  readonly after?: number;
}

interface Message {
  readonly n: number;
  readonly acknowledges: readonly number[];
  readonly token: number | undefined;
}

interface End {
  readonly code: number;
  readonly details: string;
  readonly beginAgain: boolean;
  readonly sent: boolean;
  readonly local: boolean;
}

/** A server's side of a call. */
class ServedCall implements OpenedCall, RequestOutlet<Request> {
  readonly since: number;
  open = true;
  #begun = false;
  #unflushed = 0;
  #wanted = 0;
  #halfClosed = false;
  /** Requests on their way, in order. */
  readonly #arriving: (Request | 'end')[] = [];
  /** Entries of the log that it still answers. */
  readonly #answers: number[] = [];
  #opened: Request | undefined;
  #sentUpTo = 0;

  constructor(
    private readonly run: BidiRun,
    private readonly listener: StreamListener<Message, End>,
  ) {
    this.since = run.clock.now();
    run.later(() => this.#begin());
  }

  get ready(): boolean {
    return this.open && this.#unflushed < this.run.world.window;
  }

  send(request: Request): void {
    if (this.#halfClosed) throw new Error('a request after the half-close');
    this.#unflushed++;
    this.#arriving.push(request);
    this.run.later(() => this.#receive());
  }

  halfClose(): void {
    if (this.#halfClosed) throw new Error('a second half-close');
    this.#halfClosed = true;
    this.#arriving.push('end');
    this.run.later(() => this.#receive());
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
      if (run.chance(0.7)) return this.end(UNAVAILABLE);
      this.listener.onSent();
      run.relay.placed(this);
      return run.later(() => this.end(UNAVAILABLE), 2000);
    }
    this.#begun = true;
    this.listener.onSent();
    run.relay.placed(this);
    if (run.world.headers) this.listener.onHeaders();
    for (const _ of this.#arriving) run.later(() => this.#receive());
  }

  #ended = false;

  #receive(): void {
    const { run } = this;
    if (!this.open || !this.#begun) return;
    const request = this.#arriving.shift();
    if (request === undefined) return;
    if (request === 'end') this.#ended = true;
    else {
      this.#unflushed--;
      if (this.#opened === undefined) {
        this.#opened = request;
        this.#sentUpTo = request.after ?? 0;
      } else this.#process(request);
      run.relay.pump();
    }
    this.#send();
  }

  #process(request: Request): void {
    const { run } = this;
    if (request.n === undefined) return void run.keyless++;
    run.received++;
    // The service recognizes what it has seen, by the user's key.
    if (!run.processed.includes(request.n)) run.processed.push(request.n);
    this.#answers.push(request.n);
    if (run.world.service === 'log') for (const call of run.calls) run.later(() => call.#send());
  }

  #send(): void {
    const { run } = this;
    if (!this.open || !this.#begun || this.#opened === undefined) return;
    const n = run.world.service === 'log' ? run.processed[this.#sentUpTo] : this.#answers[0];
    if (n === undefined) {
      if (this.#ended) this.end(OK);
      return;
    }
    if (this.#wanted === 0) return;
    this.#wanted--;
    this.#sentUpTo++;
    this.#answers.shift();
    this.listener.onMessage(run.messageFor(n));
    if (this.open) run.later(() => this.#send());
  }
}

/** One subscription in a world, from its beginning to its end. */
export class BidiRun {
  readonly clock = new FakeClock();
  readonly random;
  readonly delivered: number[] = [];
  readonly calls = new Set<ServedCall>();
  readonly relay: RequestRelay<Request>;
  /** The requests of the service in the order in which it first saw them. */
  readonly processed: number[] = [];
  /** Requests with a key that servers have received, repeated ones too. */
  received = 0;
  keyless = 0;
  keylessSent = 0;
  moves = 0;
  mostPending = 0;
  end: { readonly code: number; readonly note: string | undefined } | undefined;
  error: unknown;
  #written = 0;
  readonly #stream: ResumableStream<Request, Message, End>;

  constructor(readonly world: BidiWorld) {
    this.random = seededRandom(world.seed);
    this.relay = new RequestRelay(world.cumulative, { requests: world.limit, bytes: Infinity });
    const rules: ResumeRules<Request, Message, End> = {
      subject: 'test',
      token: ({ token }) => token,
      resume: (_, token) => ({ after: token as number }),
      dedupe: ({ n }) => n,
      codes: new Set([UNAVAILABLE]),
      gapCodes: new Set([]),
      maxAttempts: Infinity,
      initialBackoff: 100,
      maxBackoff: 1000,
      handoverTimeout: 500,
    };
    this.#stream = new ResumableStream(rules, { after: 0 }, this.#owner());
  }

  /** Runs to the end of the requests, or until the stream has ended. */
  play(): this {
    const { world } = this;
    this.#stream.start();
    for (let step = 0; step < 20_000 && !this.end && !this.error; step++) {
      this.clock.advance(this.random() * 20);
      this.#write();
      // At last the servers are well, so that it ends.
      if (step > 5000) continue;
      if (this.chance(world.kill))
        [...this.calls][randomBelow(this.random, this.calls.size)]?.end(UNAVAILABLE, this.chance(0.3));
      if (this.chance(world.move)) this.#stream.move();
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

  /** The answer to the nth request, the same from each server. */
  messageFor(n: number): Message {
    const { ackEvery, cumulative, length } = this.world;
    const acknowledges = n % ackEvery === 0 || n === length;
    const first = Math.floor((n - 1) / ackEvery) * ackEvery + 1;
    const all = Array.from({ length: n - first + 1 }, (_, i) => first + i);
    return { n, token: acknowledges ? n : undefined, acknowledges: acknowledges ? (cumulative ? [n] : all) : [] };
  }

  #write(): void {
    const { length, keyless } = this.world;
    for (let i = randomBelow(this.random, 4); i > 0 && this.relay.hasRoom && this.#written < length; i--) {
      if (keyless && this.chance(0.3)) {
        this.keylessSent++;
        this.relay.add({}, undefined, 1);
      } else if (!this.relay.add({ n: ++this.#written }, this.#written, 1)) throw new Error('a key twice');
      if (this.#written === length) this.relay.complete();
      this.mostPending = Math.max(this.mostPending, this.relay.size);
    }
  }

  #owner(): StreamOwner<Request, Message, End> {
    return {
      clock: this.clock,
      random: this.random,
      wantsMore: true,
      open: (request, why, listener) => {
        const call = new ServedCall(this, listener);
        this.calls.add(call);
        this.relay.open(call, request, why === 'move');
        this.relay.pump();
        return call;
      },
      taken: ({ acknowledges }) => {
        for (const key of acknowledges) this.relay.acknowledge(key satisfies TokenKey);
      },
      deliver: ({ n }) => void this.delivered.push(n),
      moved: () => {
        this.moves++;
        this.relay.moved();
      },
      stayed: () => this.relay.stayed(),
      interrupted: () => this.relay.interrupted(),
      ended: ({ code }, note) => (this.end = { code, note }),
      failed: (error) => (this.error = error),
    };
  }
}
