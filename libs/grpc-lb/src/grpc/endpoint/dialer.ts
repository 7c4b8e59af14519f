import { connectivityState } from '@grpc/grpc-js';
import type { Cancel } from '../../core/clock.js';
import { connectFailure } from '../../core/connection/connect-failure.js';
import type { Address } from '../../core/endpoint.js';
import { printable } from '../../core/printable.js';
import { jittered } from '../../core/random.js';
import { abortable, type AbortableAddress } from './abortable-address.js';
import type { ConnectionEnvironment } from './connection-site.js';
import type { SubchannelInterface } from '../experimental.js';

/** How long after an attempt that timed out the next one begins, as grpc's first connection backoff. */
const RETRY_AFTER_TIMEOUT_MS = 1000;
/** After an outage, the attempts that do not wait for their backoff are spread over so long. */
const DIAL_NOW_SPREAD_MS = 100;

export interface DialerListener {
  /** There is an HTTP/2 connection. */
  dialed(): void;
  /** An attempt has failed; the next one follows. */
  failed(error: string): void;
  /** The connection is gone, and is not opened again. */
  disconnected(): void;
}

/**
 * An error of grpc-js without what differs each time: a prefix, a time, a line break of OpenSSL. It may quote the peer, as
 * the names in its certificate.
 */
function plain(error: string): string {
  const constant = error.replace(/^Error: /, '').replace(/ \(\d{4}-[\d-]+T[\d:.]+Z\)$/, '');
  return printable(connectFailure(constant.trim()));
}

let sequence = 0;

/** Opens one HTTP/2 connection, however often it takes: a grpc-js subchannel that nobody else shares. */
export class Dialer {
  readonly subchannel: SubchannelInterface;
  readonly #address: AbortableAddress;
  #wasReady = false;
  #closed = false;
  #cancelTimeout: Cancel | undefined;
  #cancelRetry: Cancel | undefined;
  #cancelDialNow: Cancel | undefined;
  /** The attempt that went through the gate is over, or not wanted any more. */
  #leaveGate: () => void;

  constructor(
    address: Address,
    private readonly environment: ConnectionEnvironment,
    private readonly listener: DialerListener,
  ) {
    this.#address = abortable(address);
    this.subchannel = environment.helper.createSubchannel(this.#address, {
      ...environment.channelOptions,
      // grpc-js shares subchannels with equal arguments; this one is ours alone, also for a pool of several.
      'grpc_lb.connection': ++sequence,
    });
    this.subchannel.ref();
    this.subchannel.addConnectivityStateListener(this.#onState);
    environment.helper.addChannelzChild(this.subchannel.getChannelzRef());
    this.#leaveGate = environment.connectGate.enter(() => this.subchannel.startConnecting());
  }

  /** Does not wait for the end of the backoff: the outage that led to it is over. */
  dialNow(): void {
    if (this.#closed || this.#cancelRetry || this.#cancelDialNow) return;
    if (this.subchannel.getConnectivityState() !== connectivityState.TRANSIENT_FAILURE) return;
    const { connectGate, context } = this.environment;
    this.#cancelDialNow = context.clock.after(context.random() * DIAL_NOW_SPREAD_MS, () => {
      this.#cancelDialNow = undefined;
      this.#leaveGate();
      this.#leaveGate = connectGate.enter(() => this.subchannel.getRealSubchannel().resetBackoff());
    });
  }

  /** Lets go of the connection. Calls that still run on it end by themselves, then grpc-js closes the socket. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#leaveGate();
    this.#cancelTimeout?.();
    this.#cancelRetry?.();
    this.#cancelDialNow?.();
    this.subchannel.removeConnectivityStateListener(this.#onState);
    this.environment.helper.removeChannelzChild(this.subchannel.getChannelzRef());
    this.subchannel.unref();
    // A socket that is still being opened would keep the process alive; one that was ready may still carry calls.
    if (!this.#wasReady) this.#address.abort('the connection is no longer needed');
  }

  readonly #onState = (
    _subchannel: SubchannelInterface,
    previous: connectivityState,
    next: connectivityState,
    _keepalive: number,
    error?: string,
  ): void => {
    this.#cancelTimeout?.();
    switch (next) {
      case connectivityState.CONNECTING:
        return this.#onConnecting();
      case connectivityState.READY:
        // The transport, and with it the peer's stream limit, is in place only when this event has been handled.
        return queueMicrotask(() => this.#onReady());
      case connectivityState.TRANSIENT_FAILURE:
        return this.#onFailure(error);
      default:
        return previous === connectivityState.READY ? this.listener.disconnected() : this.#dialAgain();
    }
  };

  #onConnecting(): void {
    const { clock, loadBalancing } = this.environment.context;
    const { connectTimeout } = loadBalancing.pool;
    this.#address.renew();
    this.#cancelTimeout = clock.after(connectTimeout, () =>
      this.#address.abort(`no HTTP/2 connection within the connectTimeout of ${connectTimeout} ms`),
    );
  }

  #onReady(): void {
    if (this.#closed || this.subchannel.getConnectivityState() !== connectivityState.READY) return;
    this.#leaveGate();
    this.#wasReady = true;
    this.listener.dialed();
  }

  #onFailure(error: string | undefined): void {
    this.#leaveGate();
    this.listener.failed(this.#address.abortReason ?? plain(error ?? 'the connection failed'));
    this.#dialAgain();
  }

  /**
   * Goes on after grpc-js's backoff. That has passed already when an attempt has timed out; but grpc-js still waits for
   * its socket to close then, and would take the next attempt down with it.
   */
  #dialAgain(): void {
    if (this.#closed || this.#cancelRetry) return;
    if (this.#address.abortReason === undefined) return this.subchannel.startConnecting();
    const { clock, random } = this.environment.context;
    this.#cancelRetry = clock.after(jittered(random, RETRY_AFTER_TIMEOUT_MS, 0.2), () => {
      this.#cancelRetry = undefined;
      this.subchannel.startConnecting();
    });
  }
}
