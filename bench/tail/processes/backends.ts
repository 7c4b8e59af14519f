import { BACKENDS } from '../model/scenario.js';
import type { RunSpec } from '../model/run-spec.js';
import { Child } from './child.js';
import { worstOf } from './lateness.js';
import type { BackendsSeen, FromBackends, ToBackends } from './messages.js';

/** All backends, in their processes. They live through all runs, so that none has cold ones. */
export class Backends {
  private constructor(
    private readonly children: readonly Child<ToBackends, FromBackends>[],
    readonly addresses: readonly string[],
  ) {}

  static async start(proto: string, processes: number): Promise<Backends> {
    const firsts = Array.from({ length: processes + 1 }, (_, i) => Math.round((i * BACKENDS) / processes));
    const children = firsts.slice(0, -1).map((first, i) => {
      const args = [proto, String(first), String(firsts[i + 1]! - first)];
      return new Child<ToBackends, FromBackends>('backend-process.js', args);
    });
    const listening = await Promise.all(children.map((child) => child.next('listening')));
    return new Backends(
      children,
      listening.flatMap(({ addresses }) => addresses),
    );
  }

  async begin(spec: RunSpec, startsAt: number): Promise<void> {
    await Promise.all(
      this.children.map(async (child) => {
        child.tell({ kind: 'begin', spec, startsAt });
        await child.next('begun');
      }),
    );
  }

  async end(): Promise<BackendsSeen> {
    const seen = await Promise.all(
      this.children.map(async (child) => {
        child.tell({ kind: 'end' });
        return child.next('seen');
      }),
    );
    return {
      counts: seen.flatMap(({ counts }) => counts),
      lateness: worstOf(seen.map(({ lateness }) => lateness)),
      busy: Math.max(...seen.map(({ busy }) => busy)),
    };
  }

  async stop(): Promise<void> {
    await Promise.all(this.children.map((child) => child.stop()));
  }
}
