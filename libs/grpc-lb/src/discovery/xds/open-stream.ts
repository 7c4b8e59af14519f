import type { Cancel } from '../../core/clock.js';
import type { AdsStream } from './ads-stream.js';

/** The state of a stream to the control plane. */
export interface Open {
  readonly kind: 'open';
  readonly stream: AdsStream;
  nodeSent: boolean;
  /** The control plane has not been asked for all names yet. */
  dirty: boolean;
  answered: boolean;
  version: string;
  nonce: string;
  /** A request is in progress; later changes go into the next one. */
  sending: boolean;
  /** The faults of the last response. */
  rejected: string | undefined;
  /** The version of the last response that was rejected. */
  rejectedVersion: string | undefined;
  /** How many times that version was rejected again. */
  rejections: number;
  /** The timer until it is rejected again, or until the next part of a response is read. */
  cancelNack: Cancel | undefined;
  cancelReading: Cancel | undefined;
}

export function opened(stream: AdsStream): Open {
  return {
    kind: 'open',
    stream,
    nodeSent: false,
    dirty: false,
    answered: false,
    version: '',
    nonce: '',
    sending: false,
    rejected: undefined,
    rejectedVersion: undefined,
    rejections: 0,
    cancelNack: undefined,
    cancelReading: undefined,
  };
}
