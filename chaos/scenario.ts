import type { LoadBalancingOptions } from '../libs/grpc-lb/src/core/options/load-balancing.js';
import type { Backend } from './backend.js';
import type { Client } from './client.js';
import type { Course } from './course.js';
import type { Outcome } from './outcome.js';
import type { Repeats, SubjectName } from './protocol.js';

/** A client with backends of its own. Both subjects go through a scenario at the same time. */
export interface Subject {
  readonly name: SubjectName;
  readonly backends: readonly Backend[];
  readonly client: Client;
}

/** The backends of one subject. */
export interface Setting {
  readonly backends: readonly Backend[];
  /** What discovery names. Default: the backends. */
  readonly addresses?: readonly string[];
  /** What else must go at the end. */
  close?(): Promise<void>;
}

export interface Pass {
  readonly label: string;
  readonly retry?: boolean;
  /** Beyond the defaults of grpc-lb. */
  readonly loadBalancing?: LoadBalancingOptions;
  /** Beyond the defaults of round_robin. */
  readonly channelOptions?: Readonly<Record<string, number>>;
  /** How callers of round_robin repeat calls that fail or take too long; grpc-js repeats no call that takes too long. */
  readonly peerRepeats?: Repeats;
  /** What grpc-lb has to show, in words. */
  readonly bound: string;
  /** Whether it has, beside the peer in the same run: what is missed, in words. */
  judge(outcome: Outcome, peer: Outcome): string[];
}

export interface Scenario<S extends Setting = Setting> {
  /** For `--only`. */
  readonly name: string;
  readonly title: string;
  readonly passes: readonly Pass[];
  /** How long a backend takes for a call before anything happens, in milliseconds. Default: 20. */
  readonly callMs?: number;
  /** Why it cannot run here; undefined if it can. */
  missing?(): Promise<string | undefined>;
  prepare(): Promise<S>;
  /** What happens to one subject; calls are under way, and everything is warm. */
  run(subject: Subject, setting: S): Promise<Course>;
  /** What else there is to say of one subject. */
  remark?(outcome: Outcome): string;
}
