import { requireObject } from '../../core/options/required.js';
import type { ClientSnapshot } from '../../core/snapshot.js';
import type { CallObserver } from '../../grpc/call/call-observer.js';

/** Clients whose metrics are wanted: a `BalancedChannel`, a `GrpcLbClientHandle`, or `GrpcLbRegistry`. */
export interface MetricsSource {
  /** Tells an observer of the calls that start from now on; returns a function that removes it. */
  observe(observer: CallObserver): () => void;
  /** The state of the client, or of all clients. */
  snapshot(): ClientSnapshot | readonly ClientSnapshot[];
}

/** A source that is made of others, as `GrpcLbRegistry` is of its clients, and a client of its channel. */
interface Composed {
  includes?(clients: object): boolean;
}

/** Whether one of them is the other, or a part of it: together they count some calls twice. */
export function overlap(one: MetricsSource & Composed, other: MetricsSource & Composed): boolean {
  return one === other || one.includes?.(other) === true || other.includes?.(one) === true;
}

/** @throws GrpcLbOptionsError if `observeMetrics` was given no clients. */
export function requireClients(clients: unknown): void {
  requireObject('observeMetrics', 'clients', clients, 'a channel, a client, or GrpcLbRegistry');
}

/** The snapshots of the clients, also of those that are closed. */
export function snapshotsOf(source: MetricsSource): readonly ClientSnapshot[] {
  return [source.snapshot()].flat();
}
