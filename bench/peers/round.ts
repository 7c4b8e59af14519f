import { type CpuRound, roundOf } from './cpu-table.js';
import { type Backends, SubjectProcess } from './processes.js';
import type { CpuRun, Kind } from './run-spec.js';

/** One subject of a comparison. */
export interface Entry {
  readonly title: string;
  readonly subject: string;
  readonly channelOptions?: object;
  readonly build?: string;
  readonly nodeOption?: string;
}

export interface RoundOptions {
  readonly kind: Kind;
  /** Calls or streams under way. */
  readonly concurrency: number;
  /** Messages of each subject. */
  readonly total: number;
}

const SLICES = 50;

/** One round: a fresh process for each subject; once all are warm, each makes a slice of its calls in turn. The first is the baseline. */
export async function measureRound(
  entries: readonly Entry[],
  { kind, concurrency, total }: RoundOptions,
  backends: Backends,
): Promise<CpuRound[]> {
  const processes = entries.map(({ subject, channelOptions = {}, build, nodeOption }) => {
    const spec = { subject, kind, concurrency, channelOptions, build };
    return new SubjectProcess(spec, backends, nodeOption === undefined ? [] : [nodeOption]);
  });
  await Promise.all(processes.map((each) => each.warm()));
  const runs: CpuRun[][] = processes.map(() => []);
  for (let slice = 0; slice < SLICES; slice++) {
    for (let i = 0; i < processes.length; i++) {
      // Each slice begins with another subject, so that none always runs first.
      const turn = (i + slice) % processes.length;
      runs[turn]!.push(await processes[turn]!.receive(Math.ceil(total / SLICES)));
    }
  }
  await Promise.all(processes.map((each) => each.stop()));
  return runs.map((slices) => roundOf(slices, runs[0]!, Math.ceil(total / SLICES)));
}
