import type { Cancel } from '../clock.js';
import { Departure, type DepartureSource, type Exit } from './departure.js';
import { KeyedStreams } from './keyed-streams.js';
import { MovesUnderWay } from './moves-under-way.js';
import type { MoveReason, PlacedStream, StreamHost } from './placed-stream.js';
import { emptiest, type Relocation, relocationWithin } from './relocation.js';

/** When streams move only to be divided evenly. */
export interface RebalanceRule {
  /** Milliseconds between two moves of one client that has no more than `streamsPerMove` streams, at least. */
  readonly interval: number;
  /** A client with more streams moves one for each so many in an interval. */
  readonly streamsPerMove: number;
  /** By how much more than the mean an endpoint must carry, as a fraction. */
  readonly threshold: number;
}

/** What a placement reads. */
export interface StreamPlacementSource<E> extends DepartureSource {
  /** Undefined if streams do not move only to be divided evenly. */
  readonly rebalance: RebalanceRule | undefined;
  /** The endpoints that new streams may be given, in groups between which streams do not move; the best group first. */
  readonly groups: readonly (readonly E[])[];
  /** Called when the streams of an endpoint are asked to go. */
  leaving?(endpoint: E, reason: MoveReason, streams: number): void;
  /** Called when a stream has moved. */
  moved?(from: E, to: E, reason: MoveReason): void;
}

/** The first look after a change comes within this part of the interval, so that clients do not act in step. */
const FIRST_LOOK = 1 / 5;

/** The time between two moves is longer than the interval by up to this part of it. */
const JITTER = 1 / 10;

/** For this many milliseconds after an endpoint has joined, streams move to fill it. */
export const NEW_FOR_MS = 600_000;

/** The most streams of a client that are on their way at the same time. */
const MOST_UNDER_WAY = 100;

/**
 * A difference of two streams must have lasted for this many intervals. With few streams on each endpoint, as many ends
 * as arrivals keep making such differences, and arrivals level them.
 */
export const PATIENCE = 18;

/**
 * Decides when the streams of one client move, and which. The cost of a stream that opens or closes does not depend on
 * how many there are, and no stream has a timer.
 */
export class StreamPlacement<E extends StreamHost> {
  readonly #streams = new Map<E, Set<PlacedStream<E>>>();
  readonly #leaving = new Map<E, Departure<E>>();
  /** Streams whose connections are being replaced. */
  readonly #retiring = new Map<Set<PlacedStream<E>>, Departure<E>>();
  #size = 0;
  #cancelLook: Cancel | undefined;
  /** No move only for evenness before this time. */
  #quietUntil = -Infinity;
  /** The interval by which that time and the next look were set. */
  #interval = 0;
  /** Since when there has been nothing to move but a difference of two streams. */
  #patientSince: number | undefined;
  /** How this client fills each endpoint, each time that it joins. */
  readonly #fills = new WeakMap<E, { readonly joinedAt: number; readonly draw: number; moves: number }>();
  readonly #keyed = new KeyedStreams<E>();
  /** Streams that were asked to move, but not to leave. */
  readonly #underWay = new MovesUnderWay<E>();
  #closed = false;

  constructor(private readonly source: StreamPlacementSource<E>) {}

  /** Called when a stream is open at its endpoint. */
  opened(stream: PlacedStream<E>): void {
    this.#place(stream, stream.endpoint);
    this.#size++;
    this.#arrived(stream.endpoint);
  }

  /** Called when a stream, which has been opened here, is open at its new endpoint, and the old one is closed. */
  moved(stream: PlacedStream<E>, from: E, reason: MoveReason): void {
    this.#take(stream, from);
    this.#place(stream, stream.endpoint);
    this.source.moved?.(from, stream.endpoint, reason);
    this.#arrived(stream.endpoint);
  }

  /** Called when a stream has ended. */
  closed(stream: PlacedStream<E>): void {
    if (!this.#take(stream, stream.endpoint)) return;
    this.#size--;
    this.#lookSoon();
  }

  /**
   * Called when an endpoint gets no new streams: asks its streams to go, spread over `LEAVE_WITHIN_MS`. Ends when the
   * endpoint may be picked again.
   */
  vacate(endpoint: E, reason: MoveReason): void {
    const streams = this.#streams.get(endpoint);
    if (!streams || this.#closed || this.#leaving.has(endpoint)) return;
    this.source.leaving?.(endpoint, reason, streams.size);
    const end = (): void => {
      this.#leaving.delete(endpoint);
      this.#lookSoon();
    };
    this.#leaving.set(endpoint, new Departure(this.source, streams, reason, () => this.#exitFrom(endpoint), end));
  }

  /** Called when only some streams of an endpoint must go, as those of one connection: spread in the same way. */
  leave(streams: Iterable<PlacedStream<E>>, reason: MoveReason): void {
    const leaving = new Set(streams);
    if (leaving.size === 0 || this.#closed) return;
    const end = (): unknown => this.#retiring.delete(leaving);
    this.#retiring.set(leaving, new Departure(this.source, leaving, reason, () => 'open', end));
  }

  /** Called when endpoints, their weights, or the options have changed. */
  changed(): void {
    // A panic, in which ejected endpoints are picked too, may be over.
    for (const endpoint of this.#streams.keys()) this.#vacateIfLeft(endpoint);
    this.#hurry();
    this.#keyed.changed();
    this.#lookSoon();
  }

  /** Streams that are still open may close afterwards; none is asked to move any more. */
  close(): void {
    this.#closed = true;
    this.#cancelLook?.();
    for (const departure of [...this.#leaving.values(), ...this.#retiring.values()]) departure.close();
    this.#leaving.clear();
    this.#retiring.clear();
  }

  /** Streams that are open here. */
  get size(): number {
    return this.#size;
  }

  /** Streams that are open at an endpoint. */
  count(endpoint: E): number {
    return this.#streams.get(endpoint)?.size ?? 0;
  }

  #place(stream: PlacedStream<E>, endpoint: E): void {
    let streams = this.#streams.get(endpoint);
    if (!streams) this.#streams.set(endpoint, (streams = new Set()));
    streams.add(stream);
    this.#keyed.add(stream);
  }

  /** A move takes seconds, in which the streams of its endpoint may have been asked to go. */
  #arrived(endpoint: E): void {
    this.#vacateIfLeft(endpoint);
    this.#lookSoon();
  }

  #vacateIfLeft(endpoint: E): void {
    const { leaves } = endpoint;
    if (!leaves || this.#leaving.has(endpoint) || this.#exitFrom(endpoint) === 'over') return;
    this.vacate(endpoint, leaves);
  }

  #take(stream: PlacedStream<E>, endpoint: E): boolean {
    for (const leaving of this.#retiring.keys()) leaving.delete(stream);
    this.#underWay.delete(stream);
    this.#keyed.delete(stream);
    const streams = this.#streams.get(endpoint);
    if (!streams?.delete(stream)) return false;
    // A departure reads the set, and must not outlive it.
    if (streams.size > 0) return true;
    this.#streams.delete(endpoint);
    this.#leaving.get(endpoint)?.close();
    this.#leaving.delete(endpoint);
    return true;
  }

  #exitFrom(endpoint: E): Exit {
    const { groups } = this.source;
    if (groups.some((group) => group.includes(endpoint))) return 'over';
    return groups.some((group) => group.length > 0) ? 'open' : 'blocked';
  }

  /** A shorter interval does not wait for the end of a longer one. */
  #hurry(): void {
    const { rebalance, clock } = this.source;
    if (!rebalance || rebalance.interval >= this.#interval) return;
    this.#cancelLook?.();
    this.#cancelLook = undefined;
    this.#quietUntil = Math.min(this.#quietUntil, clock.now() + this.#paceOf(rebalance));
  }

  /** At most one timer, whatever the number of streams. */
  #lookSoon(): void {
    const { rebalance, random } = this.source;
    if (this.#closed || this.#cancelLook || !rebalance || this.#size === 0) return;
    this.#interval = rebalance.interval;
    this.#lookAfter(rebalance.interval * FIRST_LOOK * random());
  }

  #lookAfter(delay: number): void {
    const { clock } = this.source;
    this.#cancelLook = clock.after(Math.max(delay, this.#quietUntil - clock.now()), this.#look);
  }

  readonly #look = (): void => {
    this.#cancelLook = undefined;
    const { rebalance, clock, random } = this.source;
    if (!rebalance || this.#size === 0) return;
    const { interval } = rebalance;
    this.#interval = interval;
    const pace = this.#paceOf(rebalance);
    for (const stream of this.#underWay.takeFailed()) this.#putLast(stream);
    if (this.#underWay.size >= Math.min(interval / pace, MOST_UNDER_WAY)) return this.#lookAfter(pace);
    const keyed = this.#keyed.next(this.#isLeaving);
    if (keyed) return this.#ask(keyed.stream, 'key', keyed.to, pace);
    const next = this.#next(rebalance, true);
    if (!next) {
      this.#patientSince = undefined;
      // If the streams are even, the next change wakes it. Nothing tells of a token, or of progress in a slow start.
      if (this.#keyed.due || this.#next(rebalance, false))
        this.#lookAfter(Math.min(pace, interval * FIRST_LOOK) * (1 - random() / 2));
      return;
    }
    const fill = this.#fillOf(next.to);
    if (next.gain === 1 && !next.fills) {
      const left = (this.#patientSince ??= clock.now()) + PATIENCE * interval - clock.now();
      if (left > 0) return this.#lookAfter(Math.min(left, interval));
    }
    this.#patientSince = undefined;
    if (fill) fill.moves++;
    this.#ask(this.#firstMovable(next.from)!, 'rebalance', next.to, pace);
  };

  #ask(stream: PlacedStream<E>, reason: MoveReason, to: E, pace: number): void {
    const { clock, random } = this.source;
    this.#underWay.add(stream);
    this.#quietUntil = clock.now() + pace * (1 + JITTER * random());
    this.#lookAfter(pace);
    stream.move(reason, to);
  }

  readonly #isLeaving = (endpoint: E): boolean => this.#leaving.has(endpoint);

  /**
   * Milliseconds between two moves. In proportion to its streams a client may move as many as others: what arrives at an
   * endpoint within a second then does not depend on how many clients share the streams, and neither does how long it
   * takes until they are even.
   */
  #paceOf({ interval, streamsPerMove }: RebalanceRule): number {
    return interval / Math.max(1, this.#size / streamsPerMove);
  }

  /** @param now Whether tokens, slow start and failures count. */
  #next({ threshold }: RebalanceRule, now: boolean): Relocation<E> | undefined {
    const leaver = now ? this.#firstMovable : this.#first;
    const leaving = this.#underWay.leaving();
    const rules = {
      threshold,
      streamsOf: (host: E) => host.streams - (leaving.get(host) ?? 0),
      canLeave: (host: E) => leaver(host) !== undefined,
      fillOf: this.#fillOf,
      start: this.source.random(),
      now,
    };
    for (const hosts of this.source.groups) {
      const relocation = relocationWithin({ hosts, ...rules });
      if (relocation) return relocation;
    }
    return this.#stray(leaver, rules);
  }

  readonly #fillOf = (host: E): { moves: number; readonly draw: number } | undefined => {
    const { joinedAt } = host;
    if (joinedAt === undefined || this.source.clock.now() - joinedAt > NEW_FOR_MS) return undefined;
    let fill = this.#fills.get(host);
    if (fill?.joinedAt !== joinedAt) this.#fills.set(host, (fill = { joinedAt, draw: this.source.random(), moves: 0 }));
    return fill;
  };

  /** From an endpoint that no longer gets new streams though nothing is wrong with it, as when a priority returns. */
  #stray(leaver: Leaver<E>, rules: Parameters<typeof emptiest<E>>[1]): Relocation<E> | undefined {
    const { groups } = this.source;
    const to = groups[0] && emptiest(groups[0], { ...rules, now: true });
    if (!to) return undefined;
    for (const from of this.#streams.keys()) {
      if (this.#leaving.has(from) || groups.some((group) => group.includes(from))) continue;
      if (leaver(from)) return { from, to, gain: Infinity, fills: false };
    }
    return undefined;
  }

  /** The stream that has been there longest, so that the same stream is not moved again and again. */
  readonly #firstMovable: Leaver<E> = (endpoint) => {
    for (const stream of this.#streams.get(endpoint) ?? []) if (stream.movable && !stream.keyed) return stream;
    return undefined;
  };

  /** The same, whether or not it can move now. */
  readonly #first: Leaver<E> = (endpoint) => {
    for (const stream of this.#streams.get(endpoint) ?? []) if (!stream.keyed) return stream;
    return undefined;
  };

  /** Called when its move has failed: others get their turn. */
  #putLast(stream: PlacedStream<E>): void {
    const streams = this.#streams.get(stream.endpoint);
    if (streams?.delete(stream)) streams.add(stream);
  }
}

/** Finds the stream of an endpoint that would leave it. */
type Leaver<E> = (endpoint: E) => PlacedStream<E> | undefined;
