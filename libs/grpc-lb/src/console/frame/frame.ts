import type {
  ClientState,
  ConnectionSnapshot,
  EndpointState,
  PrioritySnapshot,
  SourceSnapshot,
  SourceState,
  StreamsSnapshot,
  ThrottleSnapshot,
} from '../../core/snapshot.js';
import type { AttemptsByCriticality } from '../../core/load/shed-attempts.js';
import type { ClientTotals } from '../../core/totals.js';

/** A client in the list of all clients. */
export interface ClientSummary {
  readonly name: string;
  readonly state: ClientState;
  /** Endpoints in use, and how many of them are ready. */
  readonly endpoints: number;
  readonly ready: number;
  readonly inFlight: number;
  readonly pending: number;
  readonly panic: boolean;
  readonly source: SourceState;
  /** Attempts a second in the window; null until two frames are known. */
  readonly perSecond: number | null;
}

/** The headline figures of a client, over the window. */
export interface Figures {
  /** Attempts that started, by second. */
  readonly perSecond: number | null;
  /** Calls that were observed. */
  readonly observed: number;
  /** The share of the calls that are observed, from 0 to 1; 0 if calls are not observed. */
  readonly sampled: number;
  /** Share of the observed calls that failed, from 0 to 1; null if none was observed. */
  readonly failed: number | null;
  /** Milliseconds, of the observed calls that succeeded. */
  readonly p50: number | null;
  readonly p99: number | null;
}

/** The streams of a client that last. */
export interface StreamFigures {
  readonly open: number;
  /** Milliseconds since the oldest was opened at its endpoint; null if there is none. */
  readonly oldestMs: number | null;
  /** Moves since the start, by the reason. */
  readonly moves: ClientTotals['streamMoves'];
}

/** One endpoint in the table. */
export interface EndpointRow {
  readonly address: string;
  readonly state: EndpointState | 'drained';
  /** When it entered that state, in milliseconds since the epoch; null if it is drained. */
  readonly since: number | null;
  readonly reason: string | null;
  /** As `explain` says it. */
  readonly why: string;
  /** Probability that it gets the next call. */
  readonly chance: number;
  /** Share of the attempts in the window; null until two frames are known, or if there were no attempts. */
  readonly share: number | null;
  readonly inFlight: number;
  /** Its streams that last. */
  readonly streams: StreamsSnapshot;
  /** Milliseconds, over the window, of observed attempts. */
  readonly p50: number | null;
  readonly p99: number | null;
  readonly failureRate: number;
  readonly refusalRate: number;
  /** Whether it has shed calls recently, and how many in total. */
  readonly shedding: boolean;
  readonly shed: number;
  /** Progress of its slow start; 1 when it is over. */
  readonly warmth: number;
  readonly weight: number;
  readonly priority: number;
  readonly zone: string | null;
  readonly started: number;
  readonly failed: number;
  readonly connections: readonly ConnectionSnapshot[];
  /** Whether an operator has ejected or drained it, so that it can be restored. */
  readonly restorable: boolean;
}

/** The part of the endpoints that a viewer looks at. */
export interface EndpointPage {
  /** All endpoints, and those that match the filter. */
  readonly total: number;
  readonly matching: number;
  /** From 0. */
  readonly page: number;
  readonly pages: number;
  /** How many endpoints are in each state. */
  readonly states: Readonly<Partial<Record<EndpointRow['state'], number>>>;
  readonly rows: readonly EndpointRow[];
}

/** What servers shed of a client's attempts. */
export interface SheddingFigures {
  /** Endpoints that shed at present. */
  readonly endpoints: number;
  /** Attempts since the start, by criticality. */
  readonly attempts: AttemptsByCriticality;
}

/** The client that a viewer looks at. */
export interface ClientDetail {
  readonly name: string;
  readonly target: string;
  readonly state: ClientState;
  readonly policy: string | null;
  readonly zone: string | null;
  readonly panic: boolean;
  readonly inFlight: number;
  readonly pending: number;
  readonly figures: Figures;
  readonly streams: StreamFigures;
  /** The rule of the policy, and what happens to a call made now, as `explain` says them. */
  readonly rule: string;
  readonly next: string;
  readonly sources: readonly SourceSnapshot[];
  readonly priorities: readonly PrioritySnapshot[];
  /** Attempts that servers have shed, if they do at present. */
  readonly shedding: SheddingFigures | null;
  /** Methods whose calls are refused at present; a few of them. */
  readonly throttles: readonly ThrottleSnapshot[];
  readonly endpoints: EndpointPage;
}

/** What a page draws at one time. Each frame is complete and bounded, so that a slow page can miss some. */
export interface Frame {
  /** Milliseconds since the epoch. */
  readonly time: number;
  /** Seconds that shares, rates and latencies cover. */
  readonly windowSeconds: number;
  readonly clients: readonly ClientSummary[];
  /** Null if there is no such client. */
  readonly client: ClientDetail | null;
}
