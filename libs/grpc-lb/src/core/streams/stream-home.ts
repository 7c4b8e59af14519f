import type { MoveReason, PlacedStream } from './placed-stream.js';

/** Where the streams of one client are reported that may move: its StreamPlacement, as they see it. */
export interface StreamHome<E> {
  /** A stream is open at its endpoint. */
  opened(stream: PlacedStream<E>): void;
  /** A stream is open at its new endpoint, and the old one is closed. */
  moved(stream: PlacedStream<E>, from: E, reason: MoveReason): void;
  /** A stream has ended, or is interrupted. */
  closed(stream: PlacedStream<E>): void;
  /** An endpoint gets no new streams: those that it has are asked to go. */
  vacate(endpoint: E, reason: MoveReason): void;
  /** Only these streams of an endpoint are asked to go. */
  leave(streams: Iterable<PlacedStream<E>>, reason: MoveReason): void;
}
