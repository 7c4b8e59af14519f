import type { OutgoingHttpHeaders } from 'node:http2';
import type { Metadata } from '@grpc/grpc-js';
import { CRITICALITY_KEY, type CriticalityLevel } from '../../core/call/criticality.js';
import type { Authorized } from './asked-credentials.js';
import {
  addObserved,
  authorizedHeaders,
  callHeaders,
  NO_METADATA,
  PREVIOUS_ATTEMPTS,
  timeoutHeader,
} from './attempt-headers.js';
import { rankOf } from './criticality-rank.js';
import { forbiddenMetadata } from '../../core/forbidden-metadata.js';
import type { Encoding } from './message-codec.js';

/** The headers of a call, and what each attempt adds to them. */
export class RequestHeaders {
  /** What the call credentials add to the next attempt; undefined if they have not been asked. */
  authorized: Authorized | undefined;
  #common!: OutgoingHttpHeaders;
  /** What observers have set. */
  #observed: Record<string, string> | undefined;

  constructor(private readonly criticality: CriticalityLevel | undefined) {}

  observe(key: string, value: string): void {
    (this.#observed ??= {})[key] = value;
  }

  /** Computes what all attempts have in common. Returns why it is forbidden; undefined if it is not. */
  begin(metadata: Metadata, encoding: Encoding): string | undefined {
    const headers = callHeaders(metadata, encoding);
    this.#common = headers;
    if (this.criticality !== undefined) headers[CRITICALITY_KEY] ??= this.criticality;
    if (this.#observed) addObserved(headers, this.#observed);
    return metadata === NO_METADATA && !this.#observed ? undefined : forbiddenMetadata(headers);
  }

  /** The criticality that they state, as its index; undefined if they state none. */
  get rank(): number | undefined {
    return rankOf(this.#common[CRITICALITY_KEY]);
  }

  /**
   * The headers of the next attempt; a string says why they are forbidden.
   *
   * @param timeLeft In milliseconds; Infinity for no deadline.
   * @param previous How often the call has been tried before.
   */
  ofAttempt(timeLeft: number, previous: number): OutgoingHttpHeaders | string {
    const { authorized } = this;
    const headers = authorized ? authorizedHeaders(this.#common, authorized.metadata) : this.#common;
    if (timeLeft !== Infinity) headers['grpc-timeout'] = timeoutHeader(timeLeft);
    if (previous > 0) headers[PREVIOUS_ATTEMPTS] = String(previous);
    return (authorized && forbiddenMetadata(headers)) ?? headers;
  }
}
