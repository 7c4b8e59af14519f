import { once } from 'node:events';
import { createServer as createHttp, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createHttps } from 'node:https';
import type { Socket } from 'node:net';
import { freePort } from 'nestjs-grpc-lb/testing';
import { discoveryAnswer, GROUP, json, status } from './answers.js';
import { selectorOf } from './selector.js';
import type { SliceObject } from './slices.js';
import { KubernetesStore, type StoreEvent } from './store.js';
import { asTable } from './table.js';
import { eventually } from '../time/patience.js';

export interface KubernetesApiOptions {
  /** Of the group discovery.k8s.io. Default `v1`. */
  readonly apiVersion?: string;
  /** PEM; with them it speaks TLS. */
  readonly tls?: { readonly key: string; readonly cert: string };
  /** How a version that is too old is rejected: real API servers do both. Default `event`. */
  readonly expired?: 'event' | 'status';
}

/** The outcome of one request; omitted fields mean the usual behavior. */
export interface Fate {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Never answers. */
  readonly hang?: boolean;
  /** Closes the connection instead of an answer. */
  readonly cut?: boolean;
}

export interface SeenRequest {
  readonly kind: 'list' | 'watch' | 'get' | 'delete' | 'other';
  readonly url: URL;
  readonly authorization: string | undefined;
}

interface OpenWatch {
  readonly response: ServerResponse;
  readonly bookmarks: boolean;
  readonly table: boolean;
  /** Nothing can be written into it afterwards. */
  readonly end: () => void;
}

/**
 * As much of an API server of Kubernetes as concerns EndpointSlices: list (with pages), watch, get, delete, API
 * discovery and tables for kubectl, authentication by bearer token. What it keeps survives a restart.
 */
export class KubernetesApi {
  readonly store = new KubernetesStore();
  readonly requests: SeenRequest[] = [];
  /** Accepted bearer tokens; undefined accepts every request. */
  tokens: Set<string> | undefined;
  /** Of these namespaces nothing may be read (403). */
  readonly forbidden = new Set<string>();
  /** For the requests to come, in turn; after the last, all is well. */
  readonly fates: Fate[] = [];
  port = 0;
  #server: Server | undefined;
  readonly #sockets = new Set<Socket>();
  readonly #watches = new Set<OpenWatch>();
  /** A page is cut out of the list as it was when the first one was asked for. */
  readonly #lists = new Map<string, { version: number; rest: readonly SliceObject[] }>();
  #tokens = 0;

  constructor(private readonly options: KubernetesApiOptions = {}) {}

  get url(): string {
    return `${this.options.tls ? 'https' : 'http'}://127.0.0.1:${this.port}`;
  }

  get watches(): number {
    return this.#watches.size;
  }

  get connections(): number {
    return this.#sockets.size;
  }

  count(kind: SeenRequest['kind']): number {
    return this.requests.filter((request) => request.kind === kind).length;
  }

  /** Listens; on the port it had before when it is started again. */
  async start(): Promise<this> {
    const handler = (request: IncomingMessage, response: ServerResponse): void => this.#handle(request, response);
    const server = this.options.tls ? createHttps(this.options.tls, handler) : createHttp(handler);
    server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
    });
    this.#server = server;
    this.port ||= await freePort();
    await once(server.listen(this.port, '127.0.0.1'), 'listening');
    return this;
  }

  /** As a process that dies. */
  async stop(): Promise<void> {
    const server = this.#server;
    if (!server) return;
    this.#server = undefined;
    const closed = once(server, 'close');
    server.close();
    this.cutConnections();
    this.endWatches();
    await closed;
  }

  async restart(): Promise<void> {
    await this.stop();
    await this.start();
  }

  /** TCP resets, in the middle of whatever is going on. */
  cutConnections(): void {
    for (const socket of this.#sockets) {
      // A socket that is already closing cannot be reset (EINVAL), and Node would keep it open forever after trying.
      if (socket.writableEnded) socket.destroy();
      else socket.resetAndDestroy();
    }
  }

  /** Watches end as they do after their timeout. */
  endWatches(): void {
    for (const watch of this.#watches) watch.end();
  }

  bookmark(): void {
    const object = { kind: 'EndpointSlice', apiVersion: this.#groupVersion, metadata: this.#listMetadata() };
    for (const watch of this.#watches) if (watch.bookmarks) this.#send(watch, { type: 'BOOKMARK', object });
  }

  /** Sends what a watch gets after etcd has been compacted. */
  expireWatches(): void {
    for (const watch of this.#watches) {
      this.#send(watch, { type: 'ERROR', object: status(410, 'Expired', 'too old resource version') });
      watch.end();
    }
  }

  /** Any text into all watches. */
  write(text: string | Uint8Array): void {
    for (const { response } of this.#watches) response.write(text);
  }

  /** Resolves when that many watches are open. */
  async untilWatched(count = 1): Promise<void> {
    await eventually(() => this.#watches.size >= count);
  }

  get #groupVersion(): string {
    return `${GROUP}/${this.options.apiVersion ?? 'v1'}`;
  }

  #listMetadata(): { resourceVersion: string } {
    return { resourceVersion: String(this.store.version) };
  }

  #handle(request: IncomingMessage, response: ServerResponse): void {
    const url = new URL(request.url ?? '/', this.url);
    const path = new RegExp(
      `^/apis/${GROUP}/${this.options.apiVersion ?? 'v1'}(?:/namespaces/([^/]+))?/endpointslices(?:/([^/]+))?$`,
    ).exec(url.pathname);
    const watching = ['1', 'true'].includes(url.searchParams.get('watch') ?? '');
    const kind = !path
      ? 'other'
      : request.method === 'DELETE'
        ? 'delete'
        : path[2]
          ? 'get'
          : watching
            ? 'watch'
            : 'list';
    const { authorization } = request.headers;
    this.requests.push({ kind, url, authorization });

    const fate = kind === 'other' ? {} : (this.fates.shift() ?? {});
    if (fate.cut) return void request.socket.resetAndDestroy();
    if (fate.hang) return;
    if (fate.status !== undefined || fate.body !== undefined) {
      response.writeHead(fate.status ?? 200, { 'content-type': 'application/json', ...fate.headers });
      return void response.end(fate.body ?? JSON.stringify(status(fate.status ?? 200, '', 'as the test wants it')));
    }
    if (this.tokens && !this.tokens.has((authorization ?? '').replace(/^Bearer /, ''))) {
      return json(response, 401, status(401, 'Unauthorized', 'Unauthorized'));
    }
    if (!path) {
      const answer = discoveryAnswer(url.pathname, this.options.apiVersion ?? 'v1');
      return json(response, answer ? 200 : 404, answer ?? status(404, 'NotFound', 'there is no such resource'));
    }
    const [, namespace, name] = path;
    if (namespace !== undefined && this.forbidden.has(namespace)) {
      const verb = kind === 'list' ? 'list' : kind;
      const who = 'User "system:serviceaccount:shop:default"';
      const what = `cannot ${verb} resource "endpointslices" in API group "${GROUP}" in the namespace "${namespace}"`;
      return json(response, 403, status(403, 'Forbidden', `endpointslices.${GROUP} is forbidden: ${who} ${what}`));
    }
    const selected = selectorOf(url.searchParams, namespace);
    const table = (request.headers.accept ?? '').includes('as=Table');
    if (kind === 'watch') return this.#watch(url, response, selected, table);
    if (kind === 'list') return this.#list(url, response, selected, table);
    this.#one(kind, name!, namespace ?? 'default', response, table);
  }

  #list(url: URL, response: ServerResponse, selected: (object: SliceObject) => boolean, table: boolean): void {
    const token = url.searchParams.get('continue') ?? '';
    const limit = Number(url.searchParams.get('limit') ?? 0) || Infinity;
    const begun = this.#lists.get(token);
    if (token !== '' && (!begun || begun.version < this.store.compacted)) {
      return json(response, 410, status(410, 'Expired', 'The provided continue parameter is too old'));
    }
    const all = begun?.rest ?? this.store.objects.filter(selected);
    const version = begun?.version ?? this.store.version;
    const page = all.slice(0, limit);
    const rest = all.slice(limit);
    const metadata: Record<string, unknown> = { resourceVersion: String(version) };
    if (rest.length > 0) {
      const next = Buffer.from(JSON.stringify({ v: 'meta.k8s.io/v1', rv: version, n: ++this.#tokens })).toString(
        'base64',
      );
      this.#lists.set(next, { version, rest });
      metadata['continue'] = next;
      metadata['remainingItemCount'] = rest.length;
    }
    if (table) return json(response, 200, asTable(page, metadata));
    json(response, 200, { kind: 'EndpointSliceList', apiVersion: this.#groupVersion, metadata, items: page });
  }

  #one(kind: string, name: string, namespace: string, response: ServerResponse, table: boolean): void {
    const found =
      kind === 'delete'
        ? this.store.delete(name, namespace)
        : this.store.objects.find(({ metadata }) => metadata.name === name && metadata.namespace === namespace);
    if (!found) return json(response, 404, status(404, 'NotFound', `endpointslices.${GROUP} "${name}" not found`));
    const success = {
      ...status(200, '', ''),
      status: 'Success',
      details: { name, group: GROUP, kind: 'endpointslices' },
    };
    json(
      response,
      200,
      kind === 'delete' ? success : table ? asTable([found], this.#listMetadata()) : this.#typed(found),
    );
  }

  #watch(url: URL, response: ServerResponse, selected: (object: SliceObject) => boolean, table: boolean): void {
    const asked = url.searchParams.get('resourceVersion') ?? '';
    const from = asked === '' || asked === '0' ? undefined : Number(asked);
    const tooOld = from !== undefined && from < this.store.compacted;
    const expired = status(410, 'Expired', `too old resource version: ${asked} (${this.store.compacted})`);
    if (tooOld && this.options.expired === 'status') return json(response, 410, expired);
    if (from !== undefined && from > this.store.version) {
      return json(response, 504, status(504, 'Timeout', 'Too large resource version'));
    }
    response.writeHead(200, { 'content-type': 'application/json', 'transfer-encoding': 'chunked' });
    response.flushHeaders();
    const stop = this.store.watch((event) => this.#forward(watch, event, selected));
    const seconds = Number(url.searchParams.get('timeoutSeconds') ?? 0);
    const timer = seconds > 0 ? setTimeout(() => watch.end(), seconds * 1000) : undefined;
    const end = (): void => {
      stop();
      clearTimeout(timer);
      this.#watches.delete(watch);
      response.end();
    };
    const bookmarks = ['1', 'true'].includes(url.searchParams.get('allowWatchBookmarks') ?? '');
    const watch: OpenWatch = { response, bookmarks, table, end };
    this.#watches.add(watch);
    response.once('close', end);
    if (tooOld) {
      this.#send(watch, { type: 'ERROR', object: expired });
      return watch.end();
    }
    // "Get State and Start at Any": without a version it starts with the existing objects.
    if (from === undefined) {
      for (const object of this.store.objects.filter(selected)) this.#sendObject(watch, 'ADDED', object);
    } else for (const event of this.store.since(from)) this.#forward(watch, event, selected);
  }

  /** An object that comes into a selection is ADDED to it, and one that leaves it is DELETED, whatever happened to it. */
  #forward(watch: OpenWatch, { type, object, before }: StoreEvent, selected: (object: SliceObject) => boolean): void {
    const was = before !== undefined && selected(before);
    const is = type !== 'DELETED' && selected(object);
    if (is) this.#sendObject(watch, was ? 'MODIFIED' : 'ADDED', object);
    else if (was) this.#sendObject(watch, 'DELETED', object);
  }

  readonly #withColumns = new WeakSet<OpenWatch>();

  #sendObject(watch: OpenWatch, type: string, object: SliceObject): void {
    if (!watch.table) return this.#send(watch, { type, object: this.#typed(object) });
    const first = !this.#withColumns.has(watch);
    this.#withColumns.add(watch);
    const { resourceVersion } = object.metadata;
    this.#send(watch, { type, object: asTable([object], { resourceVersion }, first) });
  }

  #send(watch: OpenWatch, event: object): void {
    watch.response.write(`${JSON.stringify(event)}\n`);
  }

  #typed(object: SliceObject): SliceObject {
    return { kind: 'EndpointSlice', apiVersion: this.#groupVersion, ...object };
  }
}
