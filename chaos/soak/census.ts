import { createHook } from 'node:async_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import v8 from 'node:v8';
import { Connection } from '../../libs/grpc-lb/src/grpc/endpoint/connection.js';
import { HealthWatch } from '../../libs/grpc-lb/src/grpc/endpoint/health-watch.js';
import { PooledEndpoint } from '../../libs/grpc-lb/src/grpc/endpoint/pooled-endpoint.js';
import { openSockets } from '../processes/open-sockets.js';

/** What this process holds. */
export interface Census {
  /** Bytes, when all rubbish has been taken out. */
  readonly heap: number;
  /** Those that keep no process alive included. */
  readonly timers: number;
  /** The pipes to the backends included. */
  readonly sockets: number;
  /** On `process`. */
  readonly listeners: number;
  readonly connections: number;
  readonly healthWatches: number;
  readonly endpoints: number;
}

const timers = new Set<number>();
createHook({
  init: (id, type) => void (type === 'Timeout' && timers.add(id)),
  destroy: (id) => void timers.delete(id),
}).enable();

/** As of emitters with more listeners than they should have, which Node itself finds. */
export const warnings: string[] = [];
process.on('warning', ({ name, message }) => {
  // That is for `queryObjects`.
  if (name !== 'ExperimentalWarning') warnings.push(`${name}: ${message}`);
});

/** @throws Error without `--expose-gc`. */
export async function takeCensus(): Promise<Census> {
  if (!globalThis.gc) throw new Error('run it with --expose-gc');
  // What is let go in one turn may be held by something that goes in the next.
  for (let i = 0; i < 5; i++) {
    globalThis.gc();
    await delay(50);
  }
  const living = (type: unknown): number => v8.queryObjects(type as () => unknown) as number;
  return {
    heap: process.memoryUsage().heapUsed,
    timers: timers.size,
    sockets: openSockets(),
    listeners: process.eventNames().reduce((sum, name) => sum + process.listenerCount(name), 0),
    connections: living(Connection),
    healthWatches: living(HealthWatch),
    endpoints: living(PooledEndpoint),
  };
}
