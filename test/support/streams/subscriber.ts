import type { ServiceError } from '@grpc/grpc-js';
import {
  resumable,
  type GrpcLbCallOptions,
  type GrpcLbClientOptions,
  GrpcLbClientHandle,
  type ResumableOf,
} from 'nestjs-grpc-lb';
import type { Observable, Subscription } from 'rxjs';
import type { LbEvent } from '../../../libs/grpc-lb/src/core/events.js';
import type { Line } from '../echo/cluster.js';
import { type EchoService, type EchoStub, echoOptions } from '../nest/app.js';
import { closeWithTest } from '../run/close-with-test.js';
import { eventually } from '../time/patience.js';
import type { FeedServer } from './feed.js';

export type FeedOptions = Partial<ResumableOf<EchoService, string>>;

/** The rules of a feed: the text of a message is its token. */
export function feedRules(more: FeedOptions = {}): ReturnType<typeof resumable> {
  return resumable<EchoService, string>({
    method: 'repeat',
    token: ({ text }: Line) => text,
    resume: (request: Partial<Line>, token: string) => ({ ...request, text: token }),
    initialBackoff: 5,
    maxBackoff: 50,
    ...more,
  } as ResumableOf<EchoService, string>);
}

/** A client of a feed, without Nest's container. It closes with the test. */
export class FeedClient {
  readonly events: LbEvent[] = [];
  readonly handle: GrpcLbClientHandle;
  readonly echo: EchoStub;

  constructor(target: string, rules: FeedOptions = {}, more: Partial<GrpcLbClientOptions> = {}) {
    const options = echoOptions(target, { resumable: [feedRules(rules)], ...more });
    this.handle = new GrpcLbClientHandle('FEED', options, (event) => void this.events.push(event));
    this.echo = this.handle.getService<EchoStub>('Echo');
    closeWithTest(() => this.handle.close());
  }

  async ready(count: number): Promise<this> {
    this.handle.connect();
    await eventually(() => this.handle.snapshot().endpoints.filter(({ state }) => state === 'ready').length === count);
    return this;
  }

  subscribe(options: GrpcLbCallOptions = {}): Subscriber {
    return new Subscriber(this.echo.repeat({ text: '' }, options));
  }
}

/** What a subscriber of a feed has seen. It leaves with the test. */
export class Subscriber {
  readonly numbers: number[] = [];
  /** The server of each message. */
  readonly servers: string[] = [];
  error: ServiceError | undefined;
  completed = false;
  readonly subscription: Subscription;

  constructor(stream: Observable<Line>) {
    this.subscription = stream.subscribe({
      next: ({ times, server }) => {
        this.numbers.push(times);
        this.servers.push(server);
      },
      error: (error: ServiceError) => (this.error = error),
      complete: () => (this.completed = true),
    });
    closeWithTest(() => this.subscription.unsubscribe());
  }

  /** Resolves when it has seen so many messages, or an end. */
  async seen(count: number): Promise<void> {
    await eventually(() => this.numbers.length >= count || this.error !== undefined || this.completed);
  }

  get last(): string | undefined {
    return this.servers.at(-1);
  }
}

export function feedTarget(servers: readonly FeedServer[]): string {
  return `static:///${servers.map(({ address }) => address).join(',')}`;
}

/** 1, 2, ..., n. */
export function upTo(n: number): number[] {
  return Array.from({ length: n }, (_, i) => i + 1);
}
