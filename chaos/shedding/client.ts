/** A client in a process of its own: an open loop with exponential gaps, through the phases that it is told. */
import { setTimeout as delay } from 'node:timers/promises';
import * as grpc from '@grpc/grpc-js';
import { seededRandom } from '../../libs/grpc-lb/src/core/random.js';
import { createBalancedChannel } from '../../libs/grpc-lb/src/grpc/index.js';
import { now } from '../clock.js';
import { Echo, type EchoStub, SAY } from '../echo.js';
import type { ClientSpec, FromShedding, Level, Second } from './protocol.js';

const { addresses, balanced, phases, critical, deadline } = JSON.parse(process.argv[2]!) as ClientSpec;
const random = seededRandom(1);
const insecure = grpc.credentials.createInsecure();
const channel = balanced
  ? createBalancedChannel({
      name: 'ECHO',
      target: `static:///${addresses.join(',')}`,
      credentials: insecure,
      methods: [SAY],
      observer: {
        callStarted: () => ({ attemptStarted: () => void (second().attempts += 1) }),
      },
    })
  : undefined;
const roundRobin = { 'grpc.service_config': JSON.stringify({ loadBalancingConfig: [{ round_robin: {} }] }) };
const echo = (channel
  ? new Echo('override', insecure, { channelOverride: channel })
  : new Echo(`ipv4:${addresses.join(',')}`, insecure, roundRobin)) as unknown as EchoStub;

type Counting = { -readonly [K in keyof Second]: Second[K] extends readonly number[] ? number[] : Second[K] };
const seconds: Counting[] = [];
const started = now();
let phase = 0;

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

const greatest = Math.max(...phases.map(({ rate }) => rate));
/** As many critical calls in each phase; the rest is shared by the other two levels. */
function levelOf(rate: number): Level {
  const share = Math.min(1, (critical * greatest) / rate);
  if (random() < share) return 'critical';
  return random() < 0.5 ? 'sheddable' : 'sheddable_plus';
}

function call(rate: number): void {
  const at = now();
  const level = levelOf(rate);
  const metadata = new grpc.Metadata();
  metadata.set('x-criticality', level);
  // It belongs to the second in which it began.
  const counting = second();
  counting.calls++;
  if (!balanced) counting.attempts++;
  if (level === 'critical') counting.critical++;
  echo.Say({ text: 'x' }, metadata, { deadline: Date.now() + deadline }, (error) => {
    if (error) return;
    counting.ok++;
    counting.latencies.push(now() - at);
    if (level === 'critical') counting.criticalOk++;
  });
}

// Connected first.
await new Promise<void>((resolve, reject) => {
  echo.waitForReady(Date.now() + 30_000, (error) => (error ? reject(error) : resolve()));
});
let due = now();
for (const [i, { rate, seconds: length }] of phases.entries()) {
  phase = i;
  const end = now() + length * 1000;
  while (now() < end) {
    for (const until = now(); due <= until; due += (-Math.log(1 - random()) * 1000) / rate) call(rate);
    await delay(1);
  }
}
await delay(deadline + 500);
channel?.close();
process.send!({ type: 'ended', seconds } satisfies FromShedding);
process.disconnect();
