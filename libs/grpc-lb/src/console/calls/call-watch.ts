import { status as Status } from '@grpc/grpc-js';
import type { Clock } from '../../core/clock.js';
import { printable } from '../../core/printable.js';
import type {
  CallObservation,
  CallObserver,
  ObservedAttempt,
  ObservedCall,
  ObservedEnd,
} from '../../grpc/call/call-observer.js';
import { CallLog } from './call-log.js';
import type { AttemptRecord, CallRecord, EndRecord } from './call-record.js';
import { type LatencyView, RecentLatencies } from './recent-latencies.js';
import { Sampler } from './sampler.js';

/** Calls that a client keeps for its percentiles, and an endpoint. */
const CLIENT_CALLS = 2048;
const ENDPOINT_CALLS = 128;
/** A call with more attempts is shown without the rest. */
const MAX_ATTEMPTS = 8;
const MAX_DETAILS = 300;

/** What is known of the calls of one client. */
export interface ClientCalls {
  readonly latencies: RecentLatencies;
  readonly byAddress: Map<string, RecentLatencies>;
  readonly log: CallLog;
}

/** Observes a sample of all calls: latencies by endpoint, and the course of failed and slow calls. */
export class CallWatch implements CallObserver {
  /** Whether latencies by endpoint are of interest: while a page is open. */
  byEndpoint = false;
  readonly #clients = new Map<string, ClientCalls>();
  readonly #sampler: Sampler;
  #records = 0;

  constructor(
    private readonly clock: Pick<Clock, 'now'>,
    maxPerSecond: number,
  ) {
    this.#sampler = new Sampler(maxPerSecond);
  }

  /** The share of the calls that are observed, from 0 to 1. */
  get share(): number {
    return this.#sampler.share;
  }

  callStarted(call: ObservedCall): CallObservation | undefined {
    const now = this.clock.now();
    return this.#sampler.take(now) ? new WatchedCall(this, this.of(call.client), call, now) : undefined;
  }

  of(client: string): ClientCalls {
    let calls = this.#clients.get(client);
    if (!calls) {
      calls = { latencies: new RecentLatencies(CLIENT_CALLS), byAddress: new Map(), log: new CallLog() };
      this.#clients.set(client, calls);
    }
    return calls;
  }

  /** The calls of an endpoint that ended after `since`; undefined if none was observed. */
  endpoint(client: string, address: string, since: number): LatencyView | undefined {
    return this.#clients.get(client)?.byAddress.get(address)?.view(since);
  }

  /** Forgets endpoints that are gone. */
  retain(client: string, addresses: ReadonlySet<string>): void {
    const { byAddress } = this.of(client);
    for (const address of byAddress.keys()) if (!addresses.has(address)) byAddress.delete(address);
  }

  forgetEndpoints(): void {
    for (const { byAddress } of this.#clients.values()) byAddress.clear();
  }

  /** @internal For `WatchedCall`. */
  now(): number {
    return this.clock.now();
  }

  /** @internal */
  nextId(): number {
    return ++this.#records;
  }
}

/** One call that is observed. */
class WatchedCall implements CallObservation {
  readonly #attempts: AttemptRecord[] = [];
  #dropped = false;

  constructor(
    private readonly watch: CallWatch,
    private readonly calls: ClientCalls,
    private readonly call: Pick<ObservedCall, 'method' | 'stream'>,
    private readonly startedAt: number,
  ) {}

  attemptStarted({ number, kind, address, waited, waitedFor }: ObservedAttempt): void {
    if (this.#attempts.length >= MAX_ATTEMPTS) return;
    const startedMs = this.watch.now() - this.startedAt;
    this.#attempts.push({
      number,
      kind,
      address,
      startedMs: rounded(startedMs),
      endedMs: null,
      waitedMs: rounded(waited),
      waitedFor,
      end: null,
    });
  }

  attemptEnded(number: number, end: ObservedEnd): void {
    const attempt = this.#attempts.find((each) => each.number === number);
    if (!attempt) return;
    const now = this.watch.now();
    attempt.endedMs = rounded(now - this.startedAt);
    attempt.end = recordOf(end);
    // What this side ended says nothing of the endpoint, and a stream lasts as long as its caller wants.
    if (!this.watch.byEndpoint || this.call.stream || end.origin === 'local') return;
    const { byAddress } = this.calls;
    let latencies = byAddress.get(attempt.address);
    if (!latencies) byAddress.set(attempt.address, (latencies = new RecentLatencies(ENDPOINT_CALLS)));
    latencies.add(now, attempt.endedMs - attempt.startedMs, end.code !== Status.OK);
  }

  dropped(): void {
    this.#dropped = true;
  }

  ended(end: ObservedEnd): void {
    const now = this.watch.now();
    const durationMs = now - this.startedAt;
    const { latencies, log } = this.calls;
    // The caller has lost interest: neither a success nor a failure.
    if (end.code === Status.CANCELLED && end.origin === 'local') return;
    const failed = end.code !== Status.OK;
    if (failed || !this.call.stream) latencies.add(now, durationMs, failed);
    if (failed) log.addFailed(this.#record(end, durationMs));
    else if (!this.call.stream && log.isSlow(durationMs, now)) log.addSlow(this.#record(end, durationMs));
  }

  #record(end: ObservedEnd, durationMs: number): CallRecord {
    return {
      id: this.watch.nextId(),
      method: this.call.method,
      time: Date.now(),
      durationMs: rounded(durationMs),
      end: recordOf(end),
      dropped: this.#dropped,
      attempts: this.#attempts,
    };
  }
}

const OK: EndRecord = { status: 'OK', details: '', origin: 'remote' };

function recordOf({ code, details, origin }: ObservedEnd): EndRecord {
  if (code === Status.OK) return OK;
  return { status: Status[code] ?? String(code), details: printable(details, MAX_DETAILS), origin };
}

function rounded(ms: number): number {
  return Math.round(ms * 10) / 10;
}
