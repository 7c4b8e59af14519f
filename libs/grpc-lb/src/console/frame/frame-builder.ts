import type { ClientSnapshot } from '../../core/snapshot.js';
import type { Explanation } from '../../grpc/channel/explain.js';
import type { GrpcLbRegistry } from '../../nest/registry.js';
import type { CallWatch } from '../calls/call-watch.js';
import { AttemptCounts } from './attempt-counts.js';
import { endpointPage } from './endpoint-page.js';
import type { ClientDetail, ClientSummary, Figures, Frame, SheddingFigures, StreamFigures } from './frame.js';
import type { ViewQuery } from './view-query.js';

/** Shares, rates and latencies cover this window, so that the page shows the present. */
const WINDOW_MS = 10_000;
/** A service has few methods, but a proxy may have many. */
const MAX_THROTTLES = 5;

/** Builds frames for all viewers: looks at the clients once for each time, however many viewers there are. */
export class FrameBuilder {
  readonly #counts = new Map<string, AttemptCounts>();
  #snapshots: readonly ClientSnapshot[] = [];
  /** What is explained since the last look. */
  readonly #explained = new Map<string, Explanation>();
  #now = 0;

  constructor(
    private readonly registry: Pick<GrpcLbRegistry, 'snapshot' | 'explain'>,
    /** Undefined if calls are not observed. */
    private readonly calls: CallWatch | undefined,
  ) {}

  /** Reads the state of all clients; `now` by the clock of the calls. */
  look(now: number): void {
    this.#now = now;
    this.#snapshots = this.registry.snapshot();
    this.#explained.clear();
    for (const { client, endpoints } of this.#snapshots) {
      let counts = this.#counts.get(client);
      if (!counts) this.#counts.set(client, (counts = new AttemptCounts(WINDOW_MS)));
      counts.add(now, endpoints);
      this.calls?.retain(client, new Set(endpoints.map(({ address }) => address)));
    }
  }

  /** Forgets what was counted: no page is open for a while. */
  forget(): void {
    this.#counts.clear();
    this.#snapshots = [];
    this.#explained.clear();
  }

  /** The frame for one viewer, as of the last look. */
  frame(query: ViewQuery): Frame {
    const snapshot = this.#named(query.client);
    return {
      time: Date.now(),
      windowSeconds: WINDOW_MS / 1000,
      clients: this.#snapshots.map((each) => this.#summary(each)),
      client: snapshot ? this.#detail(snapshot, query) : null,
    };
  }

  /** The client that a query names: the first one if it names none. */
  #named(client: string): ClientSnapshot | undefined {
    return client === '' ? this.#snapshots[0] : this.#snapshots.find((each) => each.client === client);
  }

  #summary({ client, state, endpoints, inFlight, pending, panic, source }: ClientSnapshot): ClientSummary {
    const used = endpoints.filter((each) => each.state !== 'draining');
    return {
      name: client,
      state,
      endpoints: used.length,
      ready: used.filter((each) => each.state === 'ready').length,
      inFlight,
      pending,
      panic,
      source: source.state,
      perSecond: this.#counts.get(client)?.perSecond ?? null,
    };
  }

  #detail(snapshot: ClientSnapshot, query: ViewQuery): ClientDetail {
    const { client, target, state, loadBalancing, zone, panic, inFlight, pending, sources, priorities } = snapshot;
    const { throttles = [] } = snapshot;
    const { rule, next, endpoints: explained } = this.#explain(client);
    const counts = this.#counts.get(client)!;
    const since = this.#now - WINDOW_MS;
    const latencyOf = (address: string) => this.calls?.endpoint(client, address, since);
    return {
      name: client,
      target,
      state,
      policy: loadBalancing?.policy.name ?? null,
      zone,
      panic,
      inFlight,
      pending,
      figures: this.#figures(client, counts, since),
      streams: streamFigures(snapshot),
      rule,
      next,
      sources,
      priorities,
      shedding: sheddingOf(snapshot),
      throttles: throttles.filter((each) => each.state !== 'closed').slice(0, MAX_THROTTLES),
      endpoints: endpointPage({ snapshot, explained, counts, latencyOf }, query),
    };
  }

  #explain(client: string): Explanation {
    let explained = this.#explained.get(client);
    if (!explained) this.#explained.set(client, (explained = this.registry.explain(client)));
    return explained;
  }

  #figures(client: string, { perSecond }: AttemptCounts, since: number): Figures {
    const view = this.calls?.of(client).latencies.view(since);
    return {
      perSecond,
      observed: view?.calls ?? 0,
      sampled: this.calls?.share ?? 0,
      failed: view && view.calls > 0 ? view.failed / view.calls : null,
      p50: view?.p50 ?? null,
      p99: view?.p99 ?? null,
    };
  }
}

function streamFigures({ endpoints, totals }: ClientSnapshot): StreamFigures {
  let open = 0;
  let oldestMs: number | null = null;
  for (const { streams } of endpoints) {
    open += streams.open;
    if (streams.oldestMs !== null) oldestMs = Math.max(oldestMs ?? 0, streams.oldestMs);
  }
  return { open, oldestMs, moves: totals.streamMoves };
}

function sheddingOf({ endpoints, totals }: ClientSnapshot): SheddingFigures | null {
  const count = endpoints.filter(({ shedding }) => shedding).length;
  return count === 0 ? null : { endpoints: count, attempts: totals.attemptsShed };
}
