import { fileURLToPath } from 'node:url';
import { Child, node } from '../../../apps/demo-client/src/runner/child-process.js';
import { BACKENDS } from '../model/scenario.js';
import type { RunSpec } from '../model/run-spec.js';
import { worstOf } from './lateness.js';
import type { BackendsSeen, FromBackends, ToBackends } from './messages.js';

const SCRIPT = fileURLToPath(new URL('backend-process.js', import.meta.url));

/** All backends, in their processes. They live through all runs, so that none has cold ones. */
export class Backends {
  private constructor(
    private readonly children: readonly Child<FromBackends, ToBackends>[],
    readonly addresses: readonly string[],
  ) {}

  static async start(proto: string, processes: number): Promise<Backends> {
    const firsts = Array.from({ length: processes + 1 }, (_, i) => Math.round((i * BACKENDS) / processes));
    const children = firsts.slice(0, -1).map((first, i) => {
      const args = [proto, String(first), String(firsts[i + 1]! - first)];
      return new Child<FromBackends, ToBackends>(node(SCRIPT, args));
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
        child.tell({ type: 'begin', spec, startsAt });
        await child.next('begun');
      }),
    );
  }

  async end(): Promise<BackendsSeen> {
    const seen = await Promise.all(
      this.children.map(async (child) => {
        child.tell({ type: 'end' });
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
    await Promise.all(this.children.map((child) => child.kill()));
  }
}
