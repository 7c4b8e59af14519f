import { parentPort } from 'node:worker_threads';
import { perform, type Task } from './plan.js';
import type { Performed } from './pool.js';

const port = parentPort!;

async function answer(task: Task): Promise<void> {
  const began = performance.now();
  const entries = await perform(task);
  port.postMessage({ entries, seconds: (performance.now() - began) / 1000 } satisfies Performed);
}

// A rejection ends the worker, which the pool detects.
port.on('message', (task: Task) => void answer(task));
