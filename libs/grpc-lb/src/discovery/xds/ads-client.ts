import type { Cancel } from '../../core/clock.js';
import type { EndpointSourceContext } from '../../core/endpoint-source.js';
import { jittered } from '../../core/random.js';
import { backoffMs } from '../backoff.js';
import type { AdsStream, OpenAdsStream } from './ads-stream.js';
import { type DiscoveryResponse, EDS_TYPE_URL, type NodeMessage } from './eds-messages.js';
import type { LoadAssignment } from './load-assignment.js';
import { readResponse } from './read-response.js';

export interface AdsClientOptions {
  /** How the control plane is called in errors. */
  readonly uri: string;
  readonly node: NodeMessage;
  readonly open: OpenAdsStream;
  readonly resourceTimeout: number;
  readonly maxReconnectBackoff: number;
}

/** Somebody who wants to know the endpoints of one name. */
export interface AdsWatcher {
  onAssignment(assignment: LoadAssignment): void;
  onError(error: Error): void;
}

/** What is known of one name. */
interface Resource {
  readonly watchers: Set<AdsWatcher>;
  last: LoadAssignment | undefined;
  /** What has been told since; whoever comes later has to know as well. */
  error: Error | undefined;
  /** Of the time in which the control plane owes the first answer; undefined while it has not been asked. */
  cancelTimeout: Cancel | undefined;
}

interface Open {
  readonly kind: 'open';
  readonly stream: AdsStream;
  nodeSent: boolean;
  /** There are names that the control plane has not been told. */
  dirty: boolean;
  answered: boolean;
  version: string;
  nonce: string;
  /** What was wrong with the last response. */
  rejected: string | undefined;
}

type State = Open | { readonly kind: 'waiting'; readonly cancel: Cancel } | { readonly kind: 'idle' };

/** From a stream that has answered to the next. */
const REOPEN_MS = 1000;
const INVALID_ARGUMENT = 3;

/**
 * One conversation with a control plane in the state-of-the-world variant of xDS, about the endpoints (EDS) of as many
 * names as are watched. It begins with the first watcher, ends with the last, and is taken up again when it breaks.
 *
 * The last good answer for each name outlives streams, and answers that are not good.
 */
export class AdsClient {
  #state: State = { kind: 'idle' };
  readonly #resources = new Map<string, Resource>();
  /** In a row, without an answer. */
  #failures = 0;
  /** Why the last attempt had no answer. */
  #unreachable: Error | undefined;

  constructor(
    private readonly options: AdsClientOptions,
    private readonly context: EndpointSourceContext,
  ) {}

  /** Calls the watcher later, never now. What comes back ends it. */
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

  /** Told in a microtask: a hundred clients that start together are one request. */
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
        onEnd: (reason) => this.#state === state && this.#onEnd(state.answered, reason),
      });
      // The version of an earlier stream is not sent: a control plane that has restarted may count anew, take the
      // number for its own, and stay silent.
      const fresh = { nodeSent: false, dirty: false, answered: false, version: '', nonce: '', rejected: undefined };
      state = { kind: 'open', stream, ...fresh };
    } catch (error) {
      this.#onEnd(false, (error as Error).message);
      return;
    }
    this.#state = state;
    this.#send(state);
  }

  #send(state: Open): void {
    const { rejected } = state;
    state.dirty = false;
    state.stream.send({
      ...(!state.nodeSent && { node: this.options.node }),
      type_url: EDS_TYPE_URL,
      resource_names: [...this.#resources.keys()],
      version_info: state.version,
      response_nonce: state.nonce,
      ...(rejected !== undefined && { error_detail: { code: INVALID_ARGUMENT, message: rejected } }),
    });
    state.nodeSent = true;
    for (const [name, resource] of this.#resources) this.#expect(name, resource);
  }

  #expect(name: string, resource: Resource): void {
    if (resource.last || resource.cancelTimeout) return;
    const { uri, resourceTimeout } = this.options;
    resource.cancelTimeout = this.context.clock.after(resourceTimeout, () => {
      const error = new Error(
        `control plane ${uri} knows no endpoints of "${name}": no answer in ${resourceTimeout} ms`,
      );
      tellError(resource, error);
    });
  }

  /** xDS: a response is accepted (ACK) or rejected (NACK) as a whole, but what is good in it is used, as in gRPC. */
  #onResponse(state: Open, response: DiscoveryResponse): void {
    if (response.type_url !== EDS_TYPE_URL) return;
    const { assignments, faults, faulty } = readResponse(response);
    state.answered = true;
    this.#failures = 0;
    this.#unreachable = undefined;
    state.nonce = response.nonce;
    state.rejected = faults.length > 0 ? faults.join('; ') : undefined;
    if (!state.rejected) state.version = response.version_info;
    this.#send(state);
    for (const [name, assignment] of assignments) this.#accept(name, assignment);
    for (const [name, fault] of faulty) this.#reject(name, fault);
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
    tellError(resource, new Error(`control plane ${this.options.uri} sent endpoints that are refused: ${fault}`));
  }

  /** Streams that have answered may end: control planes restart, and close streams to spread their load (gRFC A57). */
  #onEnd(answered: boolean, reason: string): void {
    const { random, clock } = this.context;
    const { uri, maxReconnectBackoff } = this.options;
    const delay = answered ? jittered(random, REOPEN_MS, 0.5) : backoffMs(this.#failures, maxReconnectBackoff, random);
    if (!answered) {
      this.#failures++;
      this.#unreachable = new Error(`control plane ${uri} cannot be asked: ${reason}`);
    }
    this.#state = { kind: 'waiting', cancel: clock.after(delay, () => this.#open()) };
    for (const resource of this.#resources.values()) {
      resource.cancelTimeout?.();
      resource.cancelTimeout = undefined;
      if (!answered) tellError(resource, this.#unreachable!);
    }
  }
}

/** To somebody who has come when there was something to tell. */
function tellAll(resource: Resource, watcher: AdsWatcher): void {
  if (resource.last && resource.watchers.has(watcher)) watcher.onAssignment(resource.last);
  if (resource.error && resource.watchers.has(watcher)) watcher.onError(resource.error);
}

function tellError(resource: Resource, error: Error): void {
  resource.error = error;
  for (const watcher of resource.watchers) watcher.onError(error);
}
