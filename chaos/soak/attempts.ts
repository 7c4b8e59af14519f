import { status } from '@grpc/grpc-js';
import type { CallRecord, RequestRecord } from '../protocol.js';
import type { Disturbance } from './disturbance.js';

/** How a call may end whose server has died, or does not answer. */
const EXPECTED: ReadonlySet<status> = new Set([status.UNAVAILABLE, status.DEADLINE_EXCEEDED]);
/** Enough to see what is wrong. */
const MAX_TOLD = 20;

/** Knows where each call in flight has been sent, and whether that explains its end. */
export class Attempts {
  calls = 0;
  /** `{ 'UNAVAILABLE, kill': 3 }` */
  readonly failed: Record<string, number> = {};
  unexplained = 0;
  readonly told: string[] = [];
  readonly #open = new Map<number, RequestRecord[]>();

  constructor(private readonly disturbance: Disturbance) {}

  onRequest(request: RequestRecord): void {
    const before = this.#open.get(request.call);
    if (before) before.push(request);
    else this.#open.set(request.call, [request]);
  }

  onEnd({ at, took, code, details }: CallRecord, call: number): void {
    this.calls++;
    const attempts = this.#open.get(call) ?? [];
    this.#open.delete(call);
    if (code === status.OK) return;
    const end = at + took;
    const last = attempts.at(-1);
    const trouble = EXPECTED.has(code) && last ? this.disturbance.explanation(last.to, last.at, end) : undefined;
    const kind = `${status[code]}, ${trouble ?? 'unexplained'}`;
    this.failed[kind] = (this.failed[kind] ?? 0) + 1;
    if (trouble) return;
    this.unexplained++;
    if (this.told.length >= MAX_TOLD) return;
    const sent = attempts.map(({ to, at: time }) => `${to} ${(end - time).toFixed(0)} ms before its end`);
    this.told.push(`${status[code]}: ${details}; sent to ${sent.join(', ') || 'no backend'}`);
  }
}
