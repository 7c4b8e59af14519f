import { performance } from 'node:perf_hooks';
import { setImmediate } from 'node:timers/promises';
import { Injectable, type OnModuleDestroy } from '@nestjs/common';
import { filter, interval, map, type Observable, share, Subject, takeUntil } from 'rxjs';
import { LoadService } from '../load/load.service.js';
import type { PhaseRun } from '../load/phase-run.js';
import { RunnerLink } from '../runner-link.js';
import { settings } from '../settings.js';
import { ClickVerdict } from './click-verdict.js';
import type { BackendRow, FinishedPhase, Frame, HistoryPoint } from './frame.js';
import { story } from './story.js';

const FRAME_EVERY_MS = 250;
const POINT_EVERY_MS = 1000;
const HISTORY_POINTS = 180;

/** Draws frames of the load while a page is open, and keeps the last minutes for later visitors. */
@Injectable()
export class FramesService implements OnModuleDestroy {
  readonly history: HistoryPoint[] = [];
  /** The last look of each phase while its calls ran. */
  readonly #looks = new Map<string, FinishedPhase>();
  /** Emits once, when the application is about to close. */
  readonly ended$ = new Subject<void>();

  readonly frames$: Observable<Frame> = interval(FRAME_EVERY_MS).pipe(
    map(() => this.frame()),
    filter((frame) => frame !== null),
    takeUntil(this.ended$),
    share(),
  );

  readonly points$: Observable<HistoryPoint> = interval(POINT_EVERY_MS).pipe(
    map((tick) => this.#point(tick)),
    filter((point) => point !== null),
    takeUntil(this.ended$),
    share(),
  );

  constructor(
    private readonly load: LoadService,
    private readonly link: RunnerLink,
    private readonly clicks: ClickVerdict,
  ) {}

  /** Starts the history. */
  start(): void {
    this.points$.subscribe((point) => {
      this.history.push(point);
      if (this.history.length > HISTORY_POINTS) this.history.shift();
    });
  }

  async onModuleDestroy(): Promise<void> {
    this.ended$.next();
    this.ended$.complete();
    // The farewell is on its way to the pages: let it leave before Nest destroys their sockets.
    await setImmediate();
  }

  /** null before the first phase. */
  frame(): Frame | null {
    const run = this.load.runs.at(-1);
    if (run === undefined) return null;
    const now = performance.now();
    const summary = run.tally.summary();
    const elapsed = (now - run.startedAt) / 1000;
    const { key, title, policy, seconds } = run.phase;
    const { all: recent } = run.recent.view(now);
    const backends = this.#rows(run, now, summary.endpoints);
    if (run.status === 'running') this.#looks.set(key, { key, recent, backends });
    return {
      phase: { key, title, policy },
      phaseNumber: this.load.runs.length,
      phaseCount: this.load.phaseCount,
      status: run.status,
      elapsedSeconds: Math.min(elapsed, seconds ?? Infinity),
      seconds,
      rate: settings.rate,
      inFlight: run.inFlight,
      summary,
      lastSecond: run.recent.view(now, 1000).all,
      recent,
      backends,
      before: this.load.summaries().slice(0, -1),
      story: story({ phase: key, status: run.status, rate: settings.rate, capacity: settings.capacity, backends }),
      verdict: this.clicks.verdict(run, now),
      finished: [...this.#looks.values()].filter((look) => look.key !== key),
    };
  }

  #rows(run: PhaseRun, now: number, calls: Readonly<Record<string, number>>): BackendRow[] {
    const recent = run.recent.view(now);
    const rows = settings.addresses.map((address) => ({ address, recent: recent.of(address) }));
    const answered = rows.reduce((sum, row) => sum + row.recent.calls, 0);
    const endpoints = run.phase.endpoints();
    return rows.map(({ address, recent: { calls: recently, p50, p99 } }) => {
      const host = this.link.backends$.value.find((backend) => backend.address === address);
      const endpoint = endpoints?.find((view) => view.address === address);
      return {
        address,
        share: answered === 0 || host?.process === 'stopped' ? 0 : recently / answered,
        calls: calls[address] ?? 0,
        // The backend's last report may be a fifth of a second old, and miss that all calls have ended.
        inFlight: run.inFlight === 0 ? 0 : (endpoint?.inFlight ?? host?.inFlight ?? 0),
        // The last answers of a process that is gone are not its state.
        p50: host?.process === 'stopped' ? null : p50,
        p99: host?.process === 'stopped' ? null : p99,
        state: endpoint?.state ?? (host?.process === 'stopped' ? 'down' : 'up'),
        reason: endpoint?.reason ?? null,
        warmth: endpoint?.state === 'ready' ? endpoint.warmth : 1,
        process: host?.process ?? 'running',
        factor: host?.factor ?? 1,
      };
    });
  }

  #point(second: number): HistoryPoint | null {
    const run = this.load.runs.at(-1);
    if (run === undefined) return null;
    const { p50, p99, errors } = run.recent.view(performance.now(), POINT_EVERY_MS).all;
    return { second, phase: run.phase.key, p50, p99, errors };
  }
}
