/**
 * Four Nest services in a row, each in a process of its own, and calls whose deadline passes while they are on their way:
 * how soon the calls of all hops are cancelled, and which handlers start afterwards; stock Nest beside it. Ends with 1 if a
 * bound is missed.
 *
 *   npm run chaos hops -- [--calls 400] [--rate 40]
 */
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import * as grpc from '@grpc/grpc-js';
import { freePort } from 'nestjs-grpc-lb/testing';
import { Child, node } from '../../apps/demo-client/src/runner/child-process.js';
import { now } from '../clock.js';
import { Echo, type EchoStub } from '../echo.js';
import type { FromHop, HopRecord, HopSpec, ToHop } from './protocol.js';

const { values } = parseArgs({
  options: { calls: { type: 'string', default: '400' }, rate: { type: 'string', default: '40' } },
});
const HOPS = 4;
const DEADLINE_MS = 300;
/** On average a call is at its third hop when its deadline passes. */
const WORK_MS = 250;
const LAST_MS = 2000;
const CRITICALITY = 'sheddable';

type Hop = Child<FromHop, ToHop>;

async function start(balanced: boolean): Promise<{ hops: Hop[]; address: string }> {
  const hops: Hop[] = [];
  let next: string | undefined;
  // The last one first.
  for (let i = 0; i < HOPS; i++) {
    const spec: HopSpec = { port: await freePort(), next, balanced, work: WORK_MS, last: LAST_MS };
    const script = fileURLToPath(new URL('hop.js', import.meta.url));
    const hop: Hop = new Child(node(script, [JSON.stringify(spec)]));
    await hop.next('listening');
    hops.unshift(hop);
    next = `127.0.0.1:${spec.port}`;
  }
  return { hops, address: next! };
}

async function measure(balanced: boolean): Promise<HopRecord[][]> {
  const { hops, address } = await start(balanced);
  const echo = new Echo(address, grpc.credentials.createInsecure()) as unknown as EchoStub;
  const call = (number: number): Promise<void> => {
    const metadata = new grpc.Metadata();
    metadata.set('x-criticality', CRITICALITY);
    const text = `${number} ${now() + DEADLINE_MS}`;
    return new Promise((resolve) => {
      echo.Say({ text }, metadata, { deadline: Date.now() + DEADLINE_MS }, () => resolve());
    });
  };
  const calls: Promise<void>[] = [];
  // The first ones connect the chain.
  for (let i = 0; i < 10; i++) await call(-1);
  for (let i = 0; i < Number(values.calls); i++) {
    calls.push(call(i));
    await delay(1000 / Number(values.rate));
  }
  await Promise.all(calls);
  // Long enough for all that runs on.
  await delay(HOPS * WORK_MS + LAST_MS + 500);
  const records = await Promise.all(
    hops.map(async (hop) => {
      const answer = hop.next('records');
      hop.tell({ type: 'report' });
      return (await answer).records.filter((record) => record.call >= 0);
    }),
  );
  echo.close();
  await Promise.all(hops.map((hop) => hop.kill()));
  return records;
}

interface Figures {
  readonly running: number;
  readonly startedAfter: number;
  /** Milliseconds after the deadline; 0 if none started after it. */
  readonly lastStart: number;
  /** Milliseconds after the deadline, of handlers that ran then. */
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
  readonly notCancelled: number;
  /** Seconds of handlers after the deadline. */
  readonly wasted: number;
  readonly sameCriticality: number;
}

function figuresOf(hops: readonly (readonly HopRecord[])[]): Figures {
  const all = hops.flat();
  const running = all.filter(({ started, ended = Infinity }) => started < 0 && ended > 0);
  const after = running.flatMap(({ cancelled }) => cancelled ?? []);
  const sorted = Float64Array.from(after).toSorted();
  const quantile = (share: number): number => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]!;
  return {
    running: running.length,
    startedAfter: all.filter(({ started }) => started >= 0).length,
    lastStart: Math.max(0, ...all.map(({ started }) => started)),
    p50: quantile(0.5),
    p99: quantile(0.99),
    max: sorted.at(-1)!,
    notCancelled: running.length - after.length,
    wasted:
      all.reduce((sum, { started, ended = LAST_MS }) => sum + Math.max(0, ended - Math.max(0, started)), 0) / 1000,
    sameCriticality: all.filter(({ criticality }) => criticality === CRITICALITY).length / all.length,
  };
}

function print(subject: string, records: HopRecord[][]): Figures {
  const figures = figuresOf(records);
  const { running, startedAfter, lastStart, p50, p99, max, notCancelled, wasted, sameCriticality } = figures;
  console.log(
    `${subject}: ${records.map((hop) => hop.length).join(', ')} handlers at the hops, ${startedAfter} of them started after the deadline, at most ${lastStart.toFixed(1)} ms; ` +
      `${running} ran when it passed: ${notCancelled} were not cancelled, the others ${p50.toFixed(1)} ms (p50), ${p99.toFixed(1)} ms (p99), ` +
      `${max.toFixed(1)} ms (most) after it; handlers ran ${wasted.toFixed(0)} s for nobody; ` +
      `${(100 * sameCriticality).toFixed(0)} % saw the criticality of the first hop`,
  );
  return figures;
}

const own = print('grpc-lb', await measure(true));
print('stock Nest', await measure(false));
const missed = [
  own.startedAfter > 0 && 'no handler starts after the deadline',
  own.notCancelled > 0 && 'all are cancelled',
  own.p99 >= 50 && 'cancelled < 50 ms after the deadline (p99)',
  own.sameCriticality < 1 && 'the criticality reaches all hops',
].filter((bound) => bound !== false);
for (const bound of missed) console.log(`missed: ${bound}`);
process.exitCode = missed.length > 0 ? 1 : 0;
