import { status as Status } from '@grpc/grpc-js';
import type { Clock } from '../../core/clock.js';
import type { HealthNotOffered } from '../../core/events.js';
import { HealthDamper } from '../../core/connection/health-damper.js';
import { printable } from '../../core/printable.js';
import type { Random } from '../../core/random.js';
import type { ConnectionHealth } from '../../core/snapshot.js';
import { decodeStatus, encodeRequest, WATCH_PATH } from './health-messages.js';
import { Watch } from './watch.js';
import type { WatchEnd, WatchPeer } from './watch-stream.js';

/** The request of a health watch, and its metadata. */
export interface HealthQuestion {
  readonly service: string;
  readonly metadata: Readonly<Record<string, string>>;
}

export interface HealthListener {
  healthChanged(health: ConnectionHealth, reason: string | null): void;
  /** Called when the server does not offer health checks; the client does not ask it again on this connection. */
  notOffered(why: HealthNotOffered): void;
  backedOff(reason: string): void;
  openChanged(): void;
}

/** grpc-js's details for an answer without a `grpc-status`: an HTTP server that does not speak gRPC. */
const HTTP_PAGE = /^Received HTTP status code (\d+)/;

/**
 * Watches the health of one connection, through that connection (gRFC A17), because grpc-js ignores
 * `healthCheckConfig`. The watch is a stream, but does not count as load.
 */
export class HealthWatch {
  readonly #watch: Watch;
  readonly #damper: HealthDamper;

  constructor(
    peer: WatchPeer,
    private readonly question: HealthQuestion,
    clock: Clock,
    random: Random,
    private readonly listener: HealthListener,
  ) {
    this.#damper = new HealthDamper(clock, (health, reason) => listener.healthChanged(health, reason));
    const { service, metadata } = question;
    const request = { path: WATCH_PATH, message: encodeRequest(service), metadata };
    this.#watch = new Watch(peer, request, clock, random, {
      received: (message) => this.#onAnswer(message),
      ended: (end, answered) => this.#onEnd(end, answered),
      backedOff: (reason) => listener.backedOff(reason),
      openChanged: () => listener.openChanged(),
    });
  }

  /** Whether it takes one of the peer's streams. */
  get open(): boolean {
    return this.#watch.open;
  }

  stop(): void {
    this.#watch.stop();
    this.#damper.stop();
  }

  #onAnswer(message: Buffer): boolean {
    const answer = decodeStatus(message);
    if (answer === undefined) {
      this.#damper.answer('not_serving', 'the health service sent an unreadable answer');
      return false;
    }
    if (answer === 'SERVING') this.#damper.answer('serving', null);
    else this.#damper.answer('not_serving', `health of ${this.#what}: ${answer}`);
    return true;
  }

  /** Returns whether to ask the server again. */
  #onEnd({ code, details, fromPeer }: WatchEnd, answered: boolean): boolean {
    const page = fromPeer ? HTTP_PAGE.exec(details)?.[1] : undefined;
    if (page !== undefined) {
      // Another process may have the address now. A refusal from a gRPC server has a grpc-status.
      const reason = `the health watch got HTTP status ${page} without a gRPC status, so the peer is not a gRPC server`;
      this.#damper.answer('not_serving', reason);
      return true;
    }
    const why = fromPeer && !answered ? notOffered(code) : undefined;
    if (why !== undefined) {
      this.#damper.stop();
      this.listener.notOffered(why);
      return false;
    }
    // A proxy may cut a quiet stream now and then: that says nothing about the server, and its last answer stays in
    // force. A server that ends the stream without an error before it answers is not serving.
    const reason = code === Status.OK ? 'the health watch ended' : `the health watch failed: ${printable(details)}`;
    if (!answered) this.#damper.answer('not_serving', reason);
    return true;
  }

  get #what(): string {
    return this.question.service === '' ? 'the server' : this.question.service;
  }
}

/**
 * gRFC A17: "If the server returns UNIMPLEMENTED, the client will disable health checking" and "not retry". The same
 * applies if the client lacks permission for the health service: that says nothing about calls.
 */
function notOffered(code: Status): HealthNotOffered | undefined {
  switch (code) {
    case Status.UNIMPLEMENTED:
      return 'UNIMPLEMENTED';
    case Status.UNAUTHENTICATED:
      return 'UNAUTHENTICATED';
    case Status.PERMISSION_DENIED:
      return 'PERMISSION_DENIED';
    default:
      return undefined;
  }
}
