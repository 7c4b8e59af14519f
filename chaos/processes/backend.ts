/** A backend in a process of its own, which obeys its knobs. On SIGTERM it drains, and ends. */
import * as grpc from '@grpc/grpc-js';
import { HealthImplementation } from 'grpc-health-check';
import { now } from '../clock.js';
import { Echo, type Line } from '../echo.js';
import type { BackendArguments, FromBackend, Knobs, ToBackend } from '../protocol.js';

/** Clients see NOT_SERVING while calls are still served. */
const DRAIN_DELAY_MS = 300;
/** What outlasts this is cut. */
const DRAIN_TIMEOUT_MS = 5000;

const { host, port, knobs: first } = JSON.parse(process.argv[2]!) as BackendArguments;
let knobs: Knobs = first;
const streams = new Set<grpc.ServerWritableStream<Line, Line>>();

/** Calls that wait for a slot. */
const queue: (() => void)[] = [];
let working = 0;

function work(finish: () => void): void {
  if (working >= knobs.slots) {
    queue.push(finish);
    return;
  }
  working++;
  setTimeout(() => {
    working--;
    finish();
    const next = queue.shift();
    if (next) work(next);
  }, knobs.delay);
}

const tell = (message: FromBackend): void => void process.send!(message);

const server = new grpc.Server();
const health = new HealthImplementation({ '': knobs.health });
health.addToServer(server);
server.addService(Echo.service, {
  Say({ request }: grpc.ServerUnaryCall<Line, Line>, done: grpc.sendUnaryData<Line>): void {
    if (knobs.hung) return;
    if (knobs.failWith !== null && Math.random() < knobs.failShare)
      done({ code: knobs.failWith, details: 'told to fail' });
    else work(() => done(null, request));
  },
  Repeat(call: grpc.ServerWritableStream<Line, Line>): void {
    streams.add(call);
    call.on('cancelled', () => streams.delete(call));
    call.write(call.request);
  },
});

process.on('message', ({ set }: ToBackend) => {
  knobs = { ...knobs, ...set };
  if (set.health) health.setStatus('', set.health);
  tell({ type: 'set', at: now() });
});
// The runner is gone.
process.on('disconnect', () => process.exit());
process.on('SIGTERM', () => {
  health.setStatus('', 'NOT_SERVING');
  tell({ type: 'draining', at: now() });
  setTimeout(() => {
    tell({ type: 'closing', at: now() });
    server.tryShutdown(() => process.exit());
    for (const stream of streams) stream.end();
    setTimeout(() => process.exit(), DRAIN_TIMEOUT_MS);
  }, DRAIN_DELAY_MS);
});

server.bindAsync(`${host}:${port}`, grpc.ServerCredentials.createInsecure(), (error, bound) => {
  if (error) throw error;
  tell({ type: 'listening', port: bound });
});
