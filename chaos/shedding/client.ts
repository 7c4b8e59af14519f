/** A client in a process of its own: an open loop with exponential gaps, through the phases that it is told. */
import { setTimeout as delay } from 'node:timers/promises';
import * as grpc from '@grpc/grpc-js';
import { seededRandom } from '../../libs/grpc-lb/src/core/random.js';
import { createBalancedChannel } from '../../libs/grpc-lb/src/grpc/index.js';
import { now } from '../clock.js';
import { Echo, type EchoStub, SAY } from '../echo.js';
import type { ClientSpec, FromShedding, Level, Second } from './protocol.js';

const { addresses, balanced, phases, clients, calibration, critical, deadline } = JSON.parse(
  process.argv[2]!,
) as ClientSpec;
const random = seededRandom(1);
const insecure = grpc.credentials.createInsecure();
const roundRobin = { 'grpc.service_config': JSON.stringify({ loadBalancingConfig: [{ round_robin: {} }] }) };

function connect(index: number): { readonly echo: EchoStub; readonly close: () => void } {
  if (!balanced) {
    const own = { ...roundRobin, 'grpc.use_local_subchannel_pool': 1 };
    const echo = new Echo(`ipv4:${addresses.join(',')}`, insecure, own);
    return { echo: echo as unknown as EchoStub, close: () => echo.close() };
  }
  const channel = createBalancedChannel({
    name: `ECHO${index}`,
    target: `static:///${addresses.join(',')}`,
    credentials: insecure,
    methods: [SAY],
    observer: {
      callStarted: () => ({ attemptStarted: () => void (second().attempts += 1) }),
    },
  });
  const echo = new Echo('override', insecure, { channelOverride: channel });
  return { echo: echo as unknown as EchoStub, close: () => channel.close() };
}

const stubs = Array.from({ length: clients }, (_, i) => connect(i));
/** Each call is that of one of the clients. */
const anyStub = (): EchoStub => stubs[Math.floor(random() * clients)]!.echo;

type Counting = { -readonly [K in keyof Second]: Second[K] extends readonly number[] ? number[] : Second[K] };
const seconds: Counting[] = [];
const started = now();
let phase = -1;

function second(): Counting {
  const at = Math.floor((now() - started) / 1000);
  let found = seconds.at(-1);
  if (found?.at === at) return found;
  found = {
    at,
    phase,
    calls: 0,
    ok: 0,
    latencies: [],
    critical: 0,
    criticalOk: 0,
    attempts: 0,
    heap: process.memoryUsage().heapUsed,
  };
  seconds.push(found);
  return found;
}

/** As many critical calls in each phase; the rest is shared by the other two levels. */
function levelOf(load: number): Level {
  const share = Math.min(1, critical / load);
  if (random() < share) return 'critical';
  return random() < 0.5 ? 'sheddable' : 'sheddable_plus';
}

function call(load: number): void {
  const at = now();
  const level = levelOf(load);
  const metadata = new grpc.Metadata();
  metadata.set('x-criticality', level);
  // It belongs to the second in which it began.
  const counting = second();
  counting.calls++;
  if (!balanced) counting.attempts++;
  if (level === 'critical') counting.critical++;
  anyStub().Say({ text: 'x' }, metadata, { deadline: Date.now() + deadline }, (error) => {
    if (error) return;
    counting.ok++;
    counting.latencies.push(now() - at);
    if (level === 'critical') counting.criticalOk++;
  });
}

/** Calls a second that the backends do while each always has some: the machine may be busy. */
async function measureCapacity({ inFlight, seconds: length }: ClientSpec['calibration']): Promise<number> {
  const end = now() + length * 1000;
  let done = 0;
  const worker = async (): Promise<void> => {
    while (now() < end) {
      await new Promise<void>((resolve) => {
        anyStub().Say({ text: 'x' }, new grpc.Metadata(), {}, (error) => {
          if (!error) done++;
          resolve();
        });
      });
    }
  };
  await Promise.all(Array.from({ length: inFlight * addresses.length }, worker));
  return done / length;
}

// Connected first.
await Promise.all(
  stubs.map(
    ({ echo }) =>
      new Promise<void>((resolve, reject) => {
        echo.waitForReady(Date.now() + 30_000, (error) => (error ? reject(error) : resolve()));
      }),
  ),
);
await measureCapacity(calibration);
const capacity = await measureCapacity(calibration);
let due = now();
for (const [i, { load, seconds: length }] of phases.entries()) {
  phase = i;
  const end = now() + length * 1000;
  while (now() < end) {
    for (const until = now(); due <= until; due += (-Math.log(1 - random()) * 1000) / (load * capacity)) call(load);
    await delay(1);
  }
}
await delay(deadline + 500);
for (const { close } of stubs) close();
// A long message is not out at once.
process.send!({ type: 'ended', capacity, seconds } satisfies FromShedding, () => process.disconnect());
