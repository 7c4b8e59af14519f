import type { INestMicroservice } from '@nestjs/common';
import type { FromBackend, ToBackend } from 'demo-server/control';
import { WorkerPool } from './worker-pool.js';
import { Workload } from './workload.js';

const REPORT_EVERY_MS = 200;

/** Obeys the process that started this one, reports to it, and never outlives it. */
export function supervise(app: INestMicroservice, address: string): void {
  const workers = app.get(WorkerPool);
  const workload = app.get(Workload);
  const tell = (message: FromBackend): void => {
    if (process.connected) process.send?.(message);
  };

  let reported = '';
  const reports = setInterval(() => {
    const load = { inFlight: workers.inFlight, queued: workers.queued };
    const text = JSON.stringify(load);
    if (text !== reported) tell({ type: 'load', ...load });
    reported = text;
  }, REPORT_EVERY_MS);

  const orphaned = (): never => process.exit(0);
  process.on('disconnect', orphaned);
  if (!process.connected) orphaned();
  process.on('message', (message: ToBackend) => {
    if (message.type === 'knobs') return workload.turn(message.knobs);
    if (message.type === 'freeze') {
      block(message.ms);
      return tell({ type: 'thawed' });
    }
    void app.close().then(() => {
      clearInterval(reports);
      process.off('disconnect', orphaned);
      // Only the channel kept this process alive; now it exits on its own.
      process.disconnect();
    });
  });
  tell({ type: 'listening', address });
}

/** The event loop stands still, so that no PING is answered. Unlike SIGSTOP it ends by itself, whatever becomes of the parent. */
function block(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}
