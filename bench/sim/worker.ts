import { parentPort } from 'node:worker_threads';
import { perform, type Task } from './plan.js';

const port = parentPort!;
// A rejection ends the worker, and the pool hears of it.
port.on('message', (task: Task) => void perform(task).then((entries) => port.postMessage(entries)));
