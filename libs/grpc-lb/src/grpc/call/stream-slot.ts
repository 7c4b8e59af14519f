import type { Metadata, MetadataOptions } from '@grpc/grpc-js';
import type { Member } from '../../core/balancing/members/member.js';
import type { Connection } from '../endpoint/connection.js';
import type { WireAttempt } from './wire-attempt.js';

/** The call in a slot. */
export interface SlottedCall {
  /** In milliseconds since the epoch; Infinity for none. */
  readonly deadline: number;
}

/** What a stream that may move asks of a call that is to carry it, and is told about it. */
export interface StreamSlot {
  /** Whether the stream stays open, as a subscription does. */
  readonly lasting: boolean;
  /** The endpoint that the stream leaves: the call goes to another one if it can. */
  readonly leaving: Member<Connection> | undefined;
  /** The only endpoint that the call may go to; undefined if any will do. */
  readonly to: Member<Connection> | undefined;
  /** The call starts. */
  begun(call: SlottedCall): void;
  /** An attempt has been sent; or, of several that were sent, it carries the stream. */
  sent(attempt: WireAttempt): void;
  /** The call ends with the status of this attempt. Not called if this side ends it. */
  endsWith(attempt: WireAttempt): void;
}

/** The metadata option that passes a slot to the call through grpc-js's client and interceptors. It is never sent. */
const SLOT = Symbol('nestjs-grpc-lb stream slot');

interface SlotOptions {
  readonly [SLOT]?: StreamSlot;
}

/** A copy of the metadata with the slot. */
export function withSlot(metadata: Metadata, slot: StreamSlot): Metadata {
  const copy = metadata.clone();
  const options: MetadataOptions & SlotOptions = { ...metadata.getOptions(), [SLOT]: slot };
  copy.setOptions(options);
  return copy;
}

export function slotIn(options: MetadataOptions): StreamSlot | undefined {
  return (options as SlotOptions)[SLOT];
}
