import type { Cancel } from '../../core/clock.js';
import type { EndpointSourceContext } from '../../core/endpoint-source.js';
import { GrpcLbDiscoveryError } from '../../core/errors.js';
import { jittered } from '../../core/random.js';
import { backoffMs } from '../../core/backoff.js';
import type { AdsStream, OpenAdsStream } from './ads-stream.js';
import { type DiscoveryResponse, EDS_TYPE_URL, type NodeMessage } from './eds-messages.js';
import type { LoadAssignment } from './load-assignment.js';
import { type ReadResponse, readResponse } from './read-response.js';

export interface AdsClientOptions {
  /** The name of the control plane in errors. */
  readonly uri: string;
  readonly node: NodeMessage;
  readonly open: OpenAdsStream;
  readonly resourceTimeout: number;
  readonly maxReconnectBackoff: number;
}

/** Receives the endpoints of one name. */
export interface AdsWatcher {
  onAssignment(assignment: LoadAssignment): void;
  onError(error: Error): void;
}

/** The state of one name. */
interface Resource {
  readonly watchers: Set<AdsWatcher>;
  last: LoadAssignment | undefined;
  /** The last error, for watchers that join later. */
  error: Error | undefined;
  /** The timer while the control plane owes the first answer; undefined while it has not been asked. */
  cancelTimeout: Cancel | undefined;
}

interface Open {
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

type State = Open | { readonly kind: 'waiting'; readonly cancel: Cancel } | { readonly kind: 'idle' };

const FRESH = {
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
  readonly #resources = new Map<string, Resource>();
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
    let resource = this.#resources.get(name);
    if (!resource) {
      resource = { watchers: new Set(), last: undefined, error: this.#unreachable, cancelTimeout: undefined };
      this.#resources.set(name, resource);
      this.#namesChanged();
    }
    resource.watchers.add(watcher);
    if (resource.last || resource.error) queueMicrotask(() => tellAll(resource, watcher));
    return () => this.#unwatch(name, resource, watcher);
  }

  #unwatch(name: string, resource: Resource, watcher: AdsWatcher): void {
    if (!resource.watchers.delete(watcher) || resource.watchers.size > 0) return;
    resource.cancelTimeout?.();
    this.#resources.delete(name);
    this.#namesChanged();
  }

  /** Sent in a microtask: a hundred clients that start together cause one request. */
  #namesChanged(): void {
    const state = this.#state;
    if (this.#resources.size === 0) {
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
      state = { kind: 'open', stream, ...FRESH };
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
    const { rejected } = state;
    state.dirty = false;
    state.cancelNack?.();
    state.cancelNack = undefined;
    const sent = state.stream.send({
      ...(!state.nodeSent && { node: this.options.node }),
      type_url: EDS_TYPE_URL,
      resource_names: [...this.#resources.keys()],
      version_info: state.version,
      response_nonce: state.nonce,
      ...(rejected !== undefined && { error_detail: { code: INVALID_ARGUMENT, message: rejected } }),
    });
    state.nodeSent = true;
    state.sending = !sent;
    for (const [name, resource] of this.#resources) this.#expect(name, resource);
  }

  #onSent(state: Open): void {
    state.sending = false;
    if (state.dirty) this.#send(state);
  }

  #expect(name: string, resource: Resource): void {
    if (resource.last || resource.cancelTimeout) return;
    const { uri, resourceTimeout } = this.options;
    resource.cancelTimeout = this.context.clock.after(resourceTimeout, () => {
      const error = new GrpcLbDiscoveryError(
        `control plane ${uri} sent no endpoints of "${name}": no answer within ${resourceTimeout} ms`,
      );
      tellError(resource, error);
    });
  }

  /** xDS: a response is accepted (ACK) or rejected (NACK) as a whole, but what is good in it is used, as in gRPC. */
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
    for (const [name, assignment] of assignments) this.#accept(name, assignment);
    for (const [name, fault] of faulty) this.#reject(name, fault);
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

  #accept(name: string, assignment: LoadAssignment): void {
    const resource = this.#resources.get(name);
    if (!resource) return;
    resource.cancelTimeout?.();
    resource.last = assignment;
    resource.error = undefined;
    for (const watcher of resource.watchers) watcher.onAssignment(assignment);
  }

  #reject(name: string, fault: string): void {
    const resource = this.#resources.get(name);
    if (!resource) return;
    resource.cancelTimeout?.();
    tellError(
      resource,
      new GrpcLbDiscoveryError(`control plane ${this.options.uri} sent endpoints that the client rejects: ${fault}`),
    );
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
    for (const resource of this.#resources.values()) {
      resource.cancelTimeout?.();
      resource.cancelTimeout = undefined;
      if (!answered) tellError(resource, this.#unreachable!);
    }
  }
}

/** Reports the last result to a watcher that joins later. */
function tellAll(resource: Resource, watcher: AdsWatcher): void {
  if (resource.last && resource.watchers.has(watcher)) watcher.onAssignment(resource.last);
  if (resource.error && resource.watchers.has(watcher)) watcher.onError(resource.error);
}

function tellError(resource: Resource, error: Error): void {
  resource.error = error;
  for (const watcher of resource.watchers) watcher.onError(error);
}
