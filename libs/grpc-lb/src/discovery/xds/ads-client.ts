import type { Cancel } from '../../core/clock.js';
import type { EndpointSourceContext } from '../../core/endpoint-source.js';
import { GrpcLbDiscoveryError } from '../../core/errors.js';
import { jittered } from '../../core/random.js';
import { backoffMs } from '../../core/backoff.js';
import type { OpenAdsStream } from './ads-stream.js';
import { type DiscoveryResponse, EDS_TYPE_URL, type NodeMessage } from './eds-messages.js';
import { type Open, opened } from './open-stream.js';
import { type ReadResponse, readResponse } from './read-response.js';
import { type AdsWatcher, WatchedName } from './watched-name.js';

export interface AdsClientOptions {
  /** The name of the control plane in errors. */
  readonly uri: string;
  readonly node: NodeMessage;
  readonly open: OpenAdsStream;
  readonly resourceTimeout: number;
  readonly maxReconnectBackoff: number;
}

type State = Open | { readonly kind: 'waiting'; readonly cancel: Cancel } | { readonly kind: 'idle' };

/** Between a stream that has answered and the next one. */
const REOPEN_MS = 1000;
const INVALID_ARGUMENT = 3;

/**
 * One conversation with a control plane in the state-of-the-world variant of xDS, about the endpoints (EDS) of all
 * watched names. It starts with the first watcher, ends with the last, and is resumed when it breaks.
 *
 * The last good answer for each name survives broken streams and bad answers.
 */
export class AdsClient {
  #state: State = { kind: 'idle' };
  readonly #names = new Map<string, WatchedName>();
  /** Consecutive attempts without an answer. */
  #failures = 0;
  /** Why the last attempt got no answer. */
  #unreachable: Error | undefined;

  constructor(
    private readonly options: AdsClientOptions,
    private readonly context: EndpointSourceContext,
  ) {}

  /** Calls the watcher later, never now. The returned function stops it. */
  watch(name: string, watcher: AdsWatcher): () => void {
    const known = this.#names.get(name);
    const watched = known ?? new WatchedName(this.#unreachable);
    this.#names.set(name, watched);
    watched.add(watcher);
    if (!known) this.#namesChanged();
    return () => this.#unwatch(name, watched, watcher);
  }

  #unwatch(name: string, watched: WatchedName, watcher: AdsWatcher): void {
    if (!watched.remove(watcher)) return;
    watched.stopWaiting();
    // A name that is watched again before the next request keeps its assignment: a control plane that sees the same names
    // as before does not answer.
    if (this.#state.kind !== 'open') this.#names.delete(name);
    this.#namesChanged();
  }

  /** Sent in a microtask: a hundred clients that start together cause one request. */
  #namesChanged(): void {
    const state = this.#state;
    if (![...this.#names.values()].some(({ watched }) => watched)) {
      this.#end();
    } else if (state.kind === 'open') {
      if (!state.dirty) queueMicrotask(() => this.#state === state && state.dirty && this.#send(state));
      state.dirty = true;
    } else if (state.kind === 'idle') {
      this.#state = { kind: 'waiting', cancel: () => {} };
      const waiting = this.#state;
      queueMicrotask(() => this.#state === waiting && this.#open());
    }
  }

  #end(): void {
    this.#leave();
    if (this.#state.kind === 'open') this.#state.stream.close();
    else if (this.#state.kind === 'waiting') this.#state.cancel();
    this.#state = { kind: 'idle' };
    this.#names.clear();
    this.#failures = 0;
    this.#unreachable = undefined;
  }

  #open(): void {
    let state: Open;
    try {
      const stream = this.options.open({
        onResponse: (response) => this.#state === state && this.#onResponse(state, response),
        onSent: () => this.#state === state && this.#onSent(state),
        onEnd: (reason) => this.#state === state && this.#onEnd(state.answered, reason),
      });
      // The version of an earlier stream is not sent: a restarted control plane may count from the start again, take
      // the number for its own, and stay silent.
      state = opened(stream);
    } catch (error) {
      this.#onEnd(false, (error as Error).message);
      return;
    }
    this.#state = state;
    this.#send(state);
  }

  #send(state: Open): void {
    if (state.sending) {
      state.dirty = true;
      return;
    }
    for (const [name, { watched }] of this.#names) if (!watched) this.#names.delete(name);
    const { rejected } = state;
    state.dirty = false;
    state.cancelNack?.();
    state.cancelNack = undefined;
    const sent = state.stream.send({
      ...(!state.nodeSent && { node: this.options.node }),
      type_url: EDS_TYPE_URL,
      resource_names: [...this.#names.keys()],
      version_info: state.version,
      response_nonce: state.nonce,
      ...(rejected !== undefined && { error_detail: { code: INVALID_ARGUMENT, message: rejected } }),
    });
    state.nodeSent = true;
    state.sending = !sent;
    for (const [name, watched] of this.#names) this.#expect(name, watched);
  }

  #onSent(state: Open): void {
    state.sending = false;
    if (state.dirty) this.#send(state);
  }

  #expect(name: string, watched: WatchedName): void {
    const { uri, resourceTimeout } = this.options;
    watched.expect(
      this.context.clock,
      resourceTimeout,
      () => new GrpcLbDiscoveryError(`control plane ${uri} did not answer for "${name}" within ${resourceTimeout} ms`),
    );
  }

  /** xDS: a response is accepted (ACK) or rejected (NACK) as a whole, but its valid resources are used, as in gRPC. */
  #onResponse(state: Open, response: DiscoveryResponse): void {
    if (response.type_url !== EDS_TYPE_URL) return;
    const reading = readResponse(response);
    const go = (): void => {
      const { done, value } = reading.next();
      if (done) return this.#onRead(state, response, value);
      state.cancelReading = this.context.clock.after(0, go);
    };
    state.cancelReading?.();
    state.stream.pause(true);
    go();
  }

  #onRead(state: Open, response: DiscoveryResponse, { assignments, faults, faulty }: ReadResponse): void {
    state.stream.pause(false);
    state.answered = true;
    this.#failures = 0;
    this.#unreachable = undefined;
    state.nonce = response.nonce;
    state.rejected = faults.length > 0 ? faults.join('; ') : undefined;
    if (state.rejected === undefined) this.#ack(state, response.version_info);
    else this.#nack(state, response.version_info);
    for (const [name, assignment] of assignments) this.#names.get(name)?.accept(assignment);
    for (const [name, fault] of faulty) this.#names.get(name)?.fail(this.#rejection(fault));
  }

  #ack(state: Open, version: string): void {
    state.version = version;
    state.rejectedVersion = undefined;
    this.#send(state);
  }

  /**
   * The cache of go-control-plane responds at once to clients with another version than its own, as after a NACK: it
   * resends the same version as fast as it is rejected. So the first NACK is sent at once, later ones with growing
   * delays.
   */
  #nack(state: Open, version: string): void {
    if (version !== state.rejectedVersion) {
      state.rejectedVersion = version;
      state.rejections = 0;
      return this.#send(state);
    }
    if (state.cancelNack) return;
    const { clock, random } = this.context;
    const delay = backoffMs(state.rejections++, this.options.maxReconnectBackoff, random);
    state.cancelNack = clock.after(delay, () => this.#send(state));
  }

  #leave(): void {
    if (this.#state.kind !== 'open') return;
    this.#state.cancelNack?.();
    this.#state.cancelReading?.();
  }

  #rejection(fault: string): Error {
    return new GrpcLbDiscoveryError(`control plane ${this.options.uri} sent invalid endpoints: ${fault}`);
  }

  /** Streams that have answered may end: control planes restart, and close streams to spread their load (gRFC A57). */
  #onEnd(answered: boolean, reason: string): void {
    const { random, clock } = this.context;
    const { uri, maxReconnectBackoff } = this.options;
    this.#leave();
    const delay = answered ? jittered(random, REOPEN_MS, 0.5) : backoffMs(this.#failures, maxReconnectBackoff, random);
    if (!answered) {
      this.#failures++;
      this.#unreachable = new GrpcLbDiscoveryError(`control plane ${uri} cannot be queried: ${reason}`);
    }
    this.#state = { kind: 'waiting', cancel: clock.after(delay, () => this.#open()) };
    for (const watched of this.#names.values()) {
      watched.stopWaiting();
      if (!answered) watched.fail(this.#unreachable!);
    }
  }
}
