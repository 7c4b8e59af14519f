import type { ServerResponse } from 'node:http';
import { Inject, Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import type { Subscription } from 'rxjs';
import type { GrpcLbRegistry } from '../nest/registry.js';
import { REQUIRED_REGISTRY } from '../nest/required-imports.js';
import { CallWatch } from './calls/call-watch.js';
import { EventLog } from './events/event-log.js';
import { FrameBuilder } from './frame/frame-builder.js';
import type { ViewQuery } from './frame/view-query.js';
import { EventStream } from './http/event-stream.js';
import type { EffectiveConsoleOptions } from './options.js';
import { CONSOLE_OPTIONS } from './tokens.js';

const FRAME_EVERY_MS = 500;
/** Recent calls are read slower than figures. */
const CALLS_EVERY_FRAMES = 4;

interface Viewer {
  readonly query: ViewQuery;
  readonly stream: EventStream;
  /** The last event that it has. */
  lastEvent: number;
  framesToCalls: number;
}

/** Sends frames, events and recent calls to the open pages. Without one it does nothing but keep the last events. */
@Injectable()
export class ConsoleFeed implements OnApplicationBootstrap, OnModuleDestroy {
  readonly #viewers = new Set<Viewer>();
  readonly #events = new EventLog();
  readonly #calls: CallWatch | undefined;
  readonly #frames: FrameBuilder;
  readonly #always: boolean;
  readonly #maxViewers: number;
  #stopObserving: (() => void) | undefined;
  readonly #subscription: Subscription;
  #closed = false;
  #timer: NodeJS.Timeout | undefined;

  /** @internal Nest creates it. */
  constructor(
    @Inject(REQUIRED_REGISTRY) private readonly registry: GrpcLbRegistry,
    @Inject(CONSOLE_OPTIONS) { calls, maxViewers }: EffectiveConsoleOptions,
  ) {
    this.#calls = calls && new CallWatch(performance, calls.maxPerSecond);
    this.#always = calls?.always ?? false;
    this.#maxViewers = maxViewers;
    this.#frames = new FrameBuilder(registry, this.#calls);
    this.#subscription = registry.events$.subscribe((event) => this.#events.add(event));
  }

  /** Called by Nest. */
  onApplicationBootstrap(): void {
    if (this.#always) this.#observe();
  }

  /** Called by Nest before it closes its server, which an open stream would hold. */
  onModuleDestroy(): void {
    this.#closed = true;
    this.#subscription.unsubscribe();
    for (const { stream } of this.#viewers) stream.close();
    this.#stopObserving?.();
    this.#stopObserving = undefined;
  }

  get full(): boolean {
    return this.#viewers.size >= this.#maxViewers;
  }

  /** Bytes that wait for slow pages, over all of them. */
  get buffered(): number {
    return [...this.#viewers].reduce((sum, { stream }) => sum + stream.buffered, 0);
  }

  /** Opens the stream of a page. */
  open(response: ServerResponse, headers: Readonly<Record<string, string>>, query: ViewQuery): void {
    const stream = new EventStream(response, headers, () => this.#left(viewer));
    const viewer: Viewer = { query, stream, lastEvent: 0, framesToCalls: 0 };
    // A page that comes back while the application closes would keep it open.
    if (this.#closed) return stream.close();
    if (this.#viewers.size === 0) this.#begin();
    this.#viewers.add(viewer);
    this.#show(viewer);
  }

  #begin(): void {
    if (this.#calls) this.#calls.byEndpoint = true;
    this.#observe();
    this.#frames.look(performance.now());
    this.#timer = setInterval(() => this.#tick(), FRAME_EVERY_MS).unref();
  }

  #left(viewer: Viewer): void {
    this.#viewers.delete(viewer);
    if (this.#viewers.size > 0) return;
    clearInterval(this.#timer);
    this.#frames.forget();
    if (!this.#calls) return;
    this.#calls.byEndpoint = false;
    this.#calls.forgetEndpoints();
    if (this.#always) return;
    this.#stopObserving?.();
    this.#stopObserving = undefined;
  }

  #observe(): void {
    if (this.#calls) this.#stopObserving ??= this.registry.observe(this.#calls);
  }

  #tick(): void {
    this.#frames.look(performance.now());
    for (const viewer of this.#viewers) this.#show(viewer);
  }

  #show(viewer: Viewer): void {
    const now = performance.now();
    const { stream, query } = viewer;
    if (!stream.ready(now)) return;
    const frame = this.#frames.frame(query);
    stream.send('frame', frame);
    const client = frame.client?.name;
    if (client === undefined) return;
    const lines = this.#events.after(viewer.lastEvent, client);
    if (lines.length > 0) {
      viewer.lastEvent = lines.at(-1)!.id;
      stream.send('events', lines);
    }
    if (!this.#calls || viewer.framesToCalls-- > 0) return;
    viewer.framesToCalls = CALLS_EVERY_FRAMES - 1;
    const { log } = this.#calls.of(client);
    stream.send('calls', { failed: log.failed, slow: log.slow(now) });
  }
}
