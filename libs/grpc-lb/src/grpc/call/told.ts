import { Metadata, type status as Status } from '@grpc/grpc-js';
import type { AttemptKind } from '../../core/call/plan-owner.js';
import type { CallObservation, ObservedEnd, WaitReason } from './call-observer.js';
import { messageSize } from './frame.js';
import type { WireAttempt } from './wire-attempt.js';

/** How long an attempt waited before it was sent, and for what. */
export interface Wait {
  readonly from: number;
  readonly to: number;
  /** Undefined if it did not wait. */
  readonly reason: WaitReason | undefined;
}

/** Tells an observation that an attempt has been sent. */
export function tellStarted(
  observation: CallObservation,
  { number, endpoint }: WireAttempt,
  kind: AttemptKind,
  { from, to, reason }: Wait,
): void {
  // The clock may tick while a call is sent at once.
  const waited = reason === undefined ? 0 : Math.max(0, to - from);
  observation.attemptStarted?.({ number, kind, address: endpoint.key, waited, waitedFor: reason });
}

/** Tells an observation that a request has been handed to a connection. */
export function tellSent(observation: CallObservation, { number }: WireAttempt, frame: Buffer): void {
  observation.messageSent?.(number, messageSize(frame.length));
}

/** Tells an observation that an attempt has ended. */
export function tellEnded(observation: CallObservation, { number, status, local }: WireAttempt): void {
  observation.attemptEnded?.(number, { ...status!, origin: local ? 'local' : 'remote' });
}

/** The end of a call that this side refuses. */
export function refusedEnd({ code, details }: { readonly code: Status; readonly details: string }): ObservedEnd {
  return { code, details, metadata: new Metadata(), origin: 'local' };
}
