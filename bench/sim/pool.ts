import { Worker } from 'node:worker_threads';
import type { Entry, Task } from './plan.js';

/** What a worker answers. */
export interface Performed {
  readonly entries: Entry[];
  readonly seconds: number;
}

/** Runs all tasks on a number of threads; entries are in the order of the tasks, whichever thread was faster. */
export async function performAll(
  tasks: readonly Task[],
  threads: number,
  onDone: (task: Task, seconds: number) => void,
): Promise<Entry[]> {
  const results: Entry[][] = tasks.map(() => []);
  // The long ones first, so that no thread ends alone with a long one.
  const order = tasks.map((_, i) => i).toSorted((a, b) => cost(tasks[b]!) - cost(tasks[a]!));
  // Calls are short-lived: a large young generation saves half of the time.
  const work = async (): Promise<void> => {
    const worker = new Worker(new URL('worker.js', import.meta.url), {
      resourceLimits: { maxYoungGenerationSizeMb: 64 },
    });
    try {
      for (let i = order.shift(); i !== undefined; i = order.shift()) {
        const { entries, seconds } = await answerOf(worker, tasks[i]!);
        results[i] = entries;
        onDone(tasks[i]!, seconds);
      }
    } finally {
      await worker.terminate();
    }
  };
  await Promise.all(Array.from({ length: Math.min(threads, tasks.length) }, work));
  return results.flat();
}

function answerOf(worker: Worker, task: Task): Promise<Performed> {
  return new Promise((resolve, reject) => {
    const answered = (performed: Performed): void => {
      worker.off('error', reject);
      resolve(performed);
    };
    worker.once('message', answered);
    worker.once('error', reject);
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
    worker.postMessage(task);
  });
}

function cost({ scenario, clients, load }: Task): number {
  return (scenario.startsWith('thousand') ? 10 : 1) * clients.length * load;
}
