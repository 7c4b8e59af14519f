import { connectivityState } from '@grpc/grpc-js';
import type { Cancel } from '../../core/clock.js';
import { connectFailure } from '../../core/connection/connect-failure.js';
import type { Address } from '../../core/endpoint.js';
import { printable } from '../../core/printable.js';
import { jittered } from '../../core/random.js';
import { outside } from '../context/outside.js';
import { abortable, type AbortableAddress, NOT_NEEDED } from './abortable-address.js';
import type { ConnectionEnvironment } from './connection-site.js';
import type { SubchannelInterface } from '../experimental.js';

/** The delay between an attempt that timed out and the next one, like gRPC's first connection backoff. */
const RETRY_AFTER_TIMEOUT_MS = 1000;
/** After an outage, attempts that skip their backoff are spread over this time. */
const DIAL_NOW_SPREAD_MS = 100;

export interface DialerListener {
  /** Called when an HTTP/2 connection is established. */
  dialed(): void;
  /** Called when an attempt has failed; the next one follows. */
  failed(error: string): void;
  /** Called when the connection is gone; it is not reopened. */
  disconnected(): void;
}

/**
 * Removes from an error of grpc-js what differs each time: a prefix, a time, a line break of OpenSSL. The error may
 * quote the peer, such as the names in its certificate.
 */
function plain(error: string, secure: boolean): string {
  const constant = error
    .slice(0, MAX_ERROR)
    .replace(/^Error(?: \[\w+\])?: /, '')
    .replace(/ \(\d{4}-[\d-]+T[\d:.]+Z\)$/, '');
  return printable(connectFailure(constant.trim().replace(/:$/, ''), secure));
}

/** What the peer can make longer, as by the names in its certificate, is not examined further. */
const MAX_ERROR = 2000;

/** The channel option with the name that TLS verifies. */
const SERVER_NAME = 'grpc.ssl_target_name_override';

let sequence = 0;

/** Opens one HTTP/2 connection, with as many attempts as needed: a grpc-js subchannel that is not shared. */
export class Dialer {
  readonly #address: AbortableAddress;
  /** The `:authority` of calls on this connection; undefined for that of the client. */
  authority: string | undefined;
  /** The certificates in force when the last attempt began; 0 without the option `tls`. */
  generation = 0;
  /** Created when the gate admits the first attempt. */
  #subchannel: SubchannelInterface | undefined;
  #wasReady = false;
  #closed = false;
  #cancelTimeout: Cancel | undefined;
  #cancelRetry: Cancel | undefined;
  #cancelDialNow: Cancel | undefined;
  /** Signals to the gate that the attempt is over, or no longer needed. */
  #leaveGate: () => void;

  constructor(
    address: Address,
    private readonly environment: ConnectionEnvironment,
    private readonly listener: DialerListener,
  ) {
    this.#address = abortable(address);
    this.#leaveGate = environment.connectGate.enter(() => outside(() => this.#dial()));
  }

  /** Exists once an attempt has begun. */
  get subchannel(): SubchannelInterface {
    return this.#subchannel!;
  }

  /** Connects now instead of at the end of the backoff, because the outage that caused it is over. */
  dialNow(): void {
    if (this.#closed || this.#cancelRetry || this.#cancelDialNow) return;
    if (this.#subchannel?.getConnectivityState() !== connectivityState.TRANSIENT_FAILURE) return;
    const { connectGate, context } = this.environment;
    this.#cancelDialNow = context.clock.after(context.random() * DIAL_NOW_SPREAD_MS, () => {
      this.#cancelDialNow = undefined;
      this.#leaveGate();
      this.#leaveGate = connectGate.enter(() => outside(() => this.subchannel.getRealSubchannel().resetBackoff()));
    });
  }

  /** Releases the connection. Its calls end by themselves, then grpc-js closes the socket. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#leaveGate();
    this.#cancelTimeout?.();
    this.#cancelRetry?.();
    this.#cancelDialNow?.();
    const subchannel = this.#subchannel;
    if (!subchannel) return;
    subchannel.removeConnectivityStateListener(this.#onState);
    this.environment.helper.removeChannelzChild(subchannel.getChannelzRef());
    subchannel.unref();
    // A socket that is still connecting would keep the process alive; one that was ready may still carry calls.
    if (!this.#wasReady) this.#address.abort(NOT_NEEDED);
  }

  /**
   * Subchannels are expensive to create: grpc-js compares each with all others of the channel. So they are created as
   * the gate admits them, not all at once.
   */
  #dial(): void {
    const { helper, channelOptions, context } = this.environment;
    this.authority = context.authorities?.of(this.#address);
    const serverName = context.targetNames?.of(this.#address);
    const subchannel = helper.createSubchannel(this.#address, {
      ...channelOptions,
      ...(serverName !== undefined && { [SERVER_NAME]: serverName }),
      // grpc-js shares subchannels with equal arguments; this argument keeps each connection of the pool separate.
      'grpc_lb.connection': ++sequence,
    });
    this.#subchannel = subchannel;
    this.environment.subchannelCreated(subchannel);
    subchannel.ref();
    subchannel.addConnectivityStateListener(this.#onState);
    helper.addChannelzChild(subchannel.getChannelzRef());
    subchannel.startConnecting();
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
        // grpc-js sets the transport, and with it the peer's stream limit, only after this event.
        return queueMicrotask(() => this.#onReady());
      case connectivityState.TRANSIENT_FAILURE:
        return this.#onFailure(error);
      default:
        return previous === connectivityState.READY ? this.listener.disconnected() : this.#dialAgain();
    }
  };

  #onConnecting(): void {
    const { ownStall, loadBalancing, tls } = this.environment.context;
    const { connectTimeout } = loadBalancing.pool;
    this.#address.renew();
    this.generation = tls?.generation ?? 0;
    this.#cancelTimeout = ownStall.after(connectTimeout, () =>
      this.#address.abort(`no HTTP/2 connection within the connectTimeout of ${connectTimeout} ms`),
    );
  }

  #onReady(): void {
    if (this.#closed || this.subchannel.getConnectivityState() !== connectivityState.READY) return;
    this.#leaveGate();
    this.#wasReady = true;
    this.#address.renew();
    this.listener.dialed();
  }

  #onFailure(error: string | undefined): void {
    this.#leaveGate();
    this.listener.failed(
      this.#address.abortReason ?? plain(error ?? 'the connection failed', this.environment.context.secure),
    );
    this.#dialAgain();
  }

  /**
   * Connects again after grpc-js's backoff. If an attempt timed out, the backoff has already passed, but grpc-js still
   * waits for its socket to close, and would abort the next attempt with it; so this waits by its own timer.
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
