import { type JsonBounds, parseBoundedJson } from '../../core/bounded-json.js';
import type { Clock } from '../../core/clock.js';
import { JsonElements } from '../../core/json-elements.js';
import { isObject, shown } from '../../core/options/validation.js';
import type { Cluster } from './cluster.js';
import { Deadline } from './deadline.js';
import { type AnswerReader, httpGet } from './http-get.js';
import { LineSplitter } from './line-splitter.js';
import { ApiError, MalformedError, type SliceApi, type WatchListener } from './slice-api.js';

const PAGE_SIZE = 100;
const MAX_PAGE_CHARS = 64 * 2 ** 20;
/**
 * Limits of one slice. It has about 30 kB with the 100 endpoints that Kubernetes puts into one, and 300 kB and 30000
 * values with the maximum of 1000. A slice of 2 MiB at the limit of values takes 40 ms to parse.
 */
const MAX_SLICE_CHARS = 2 * 2 ** 20;
const SLICE_BOUNDS: JsonBounds = { maxValues: 100_000 };

export interface SliceSelection {
  readonly service: string;
  /** Undefined: that of the cluster. */
  readonly namespace: string | undefined;
  readonly apiVersion: string;
  /** Milliseconds. */
  readonly timeout: number;
}

/** Lists and watches the slices of a Service over HTTP. */
export class ApiServer implements SliceApi {
  constructor(
    private readonly cluster: Cluster,
    private readonly selection: SliceSelection,
    private readonly clock: Clock,
  ) {}

  async list(
    continueToken: string | undefined,
    onItem: (item: unknown) => void,
    signal: AbortSignal,
  ): Promise<unknown> {
    const query = { limit: PAGE_SIZE, ...(continueToken !== undefined && { continue: continueToken }) };
    const items = new JsonElements('items', MAX_SLICE_CHARS);
    let length = 0;
    const onText = (text: string): void => {
      length += text.length;
      if (length > MAX_PAGE_CHARS) throw new MalformedError(`a list of more than ${MAX_PAGE_CHARS} characters a page`);
      for (const item of elementsOf(items, text)) onItem(parse(item));
    };
    await this.#get(query, signal, () => ({ onOpen: () => {}, onText }));
    const answer = parse(items.rest);
    const { items: list } = (isObject(answer) ? answer : {}) as { items?: unknown };
    // Go writes an empty list as null.
    if (!Array.isArray(list) && list !== null) throw new MalformedError(`a list without items: ${shown(answer)}`);
    return answer;
  }

  async watch(version: string, timeoutMs: number, listener: WatchListener, signal: AbortSignal): Promise<void> {
    const timeoutSeconds = Math.max(1, Math.round(timeoutMs / 1000));
    const query = { watch: 1, allowWatchBookmarks: 1, resourceVersion: version, timeoutSeconds };
    const lines = new LineSplitter(MAX_SLICE_CHARS);
    await this.#get(query, signal, (deadline) => ({
      onOpen: () => {
        // Either the API server ends a watch in time, or the connection is dead.
        deadline.set(timeoutSeconds * 1000 + this.selection.timeout);
        listener.onOpen();
      },
      onText: (text) => {
        const events = lines.push(text).map(parse);
        if (events.length > 0) listener.onEvents(events);
      },
    }));
  }

  async #get(
    query: Readonly<Record<string, string | number>>,
    signal: AbortSignal,
    read: (deadline: Deadline) => AnswerReader,
  ): Promise<void> {
    try {
      await this.#getOnce(query, signal, read);
    } catch (error) {
      const unauthorized = error instanceof ApiError && error.status === 401;
      // The token, certificate or address may be outdated: the next request must read the new one.
      const old = (unauthorized || !(error instanceof ApiError)) && this.cluster.forget();
      if (!(unauthorized && old) || signal.aborted) throw error;
      await this.#getOnce(query, signal, read);
    }
  }

  async #getOnce(
    query: Readonly<Record<string, string | number>>,
    signal: AbortSignal,
    read: (deadline: Deadline) => AnswerReader,
  ): Promise<void> {
    const deadline = new Deadline(this.clock, signal);
    deadline.set(this.selection.timeout);
    await deadline.hold(async () => {
      const request = await this.cluster.request(this.#path(query));
      deadline.signal.throwIfAborted();
      await httpGet(request, read(deadline), deadline.signal);
    });
  }

  #path(query: Readonly<Record<string, string | number>>): string {
    const { service, namespace = this.cluster.namespace, apiVersion } = this.selection;
    const parameters = new URLSearchParams({ labelSelector: `kubernetes.io/service-name=${service}` });
    for (const [name, value] of Object.entries(query)) parameters.set(name, String(value));
    return `/apis/discovery.k8s.io/${apiVersion}/namespaces/${namespace}/endpointslices?${parameters.toString()}`;
  }
}

function parse(text: string): unknown {
  try {
    return parseBoundedJson(text, SLICE_BOUNDS);
  } catch (error) {
    if (error instanceof SyntaxError) throw new MalformedError(`no JSON: ${shown(text)}`);
    throw new MalformedError(`an object with ${(error as Error).message}`);
  }
}

function elementsOf(items: JsonElements, text: string): string[] {
  try {
    return items.push(text);
  } catch (error) {
    throw new MalformedError((error as Error).message);
  }
}
