import { parentPort } from 'node:worker_threads';
import { perform, type Task } from './plan.js';

const port = parentPort!;
// A rejection ends the worker, which the pool detects.
port.on('message', (task: Task) => void perform(task).then((entries) => port.postMessage(entries)));
