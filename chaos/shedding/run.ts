/**
 * Five Nest backends of which each call blocks the event loop, offered three times what they can do: this package on both
 * sides, and stock Nest beside it, one after the other. Ends with 1 if a bound is missed.
 *
 *   npm run chaos shedding -- [--seconds 60] [--block 20] [--clients 1]
 */
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { freePort } from 'nestjs-grpc-lb/testing';
import { Child, node } from '../../apps/demo-client/src/runner/child-process.js';
import type { BackendSpec, ClientSpec, FromShedding, Phase, Second } from './protocol.js';

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '60' },
    block: { type: 'string', default: '20' },
    clients: { type: 'string', default: '1' },
  },
});
const BACKENDS = 5;
const block = Number(values.block);
/** Critical calls need this part of what the backends can do. */
const CRITICAL = 0.45;
const OVERLOAD = 3;
const NORMAL = 0.7;
const PHASES: readonly (Phase & { readonly name: string })[] = [
  { name: 'warm', load: NORMAL, seconds: 8 },
  { name: 'full', load: 1, seconds: 15 },
  { name: 'calm', load: 0.3, seconds: 8 },
  { name: 'normal', load: NORMAL, seconds: 20 },
  { name: 'overload', load: OVERLOAD, seconds: Number(values.seconds) },
  { name: 'after', load: NORMAL, seconds: 20 },
];

const script = (name: string): string => fileURLToPath(new URL(`${name}.js`, import.meta.url));

interface Measured {
  /** Calls a second that the backends can do on this machine now. */
  readonly capacity: number;
  readonly seconds: readonly Second[];
}

async function measure(balanced: boolean): Promise<Measured> {
  const backends = await Promise.all(
    Array.from({ length: BACKENDS }, async () => {
      const spec: BackendSpec = { port: await freePort(), block, sheds: balanced };
      const child = new Child<FromShedding>(node(script('backend'), [JSON.stringify(spec)]));
      await child.next('listening');
      return { child, address: `127.0.0.1:${spec.port}` };
    }),
  );
  const spec: ClientSpec = {
    addresses: backends.map(({ address }) => address),
    balanced,
    phases: PHASES,
    clients: Number(values.clients),
    calibration: { inFlight: 2, seconds: 5 },
    critical: CRITICAL,
    deadline: 50 * block,
  };
  const client = new Child<FromShedding>(node(script('client'), [JSON.stringify(spec)]));
  const { capacity, seconds } = await client.next('ended');
  await Promise.all([client.ended, ...backends.map(({ child }) => child.kill())]);
  return { capacity, seconds };
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, each) => total + each, 0);

function p99(seconds: readonly Second[]): number {
  const all = Float64Array.from(seconds.flatMap(({ latencies }) => latencies)).toSorted();
  return all[Math.floor(all.length * 0.99)] ?? Infinity;
}

/** The full seconds of a phase; of the first ones of a phase the change itself is measured. */
function inPhase(seconds: readonly Second[], name: string, skip = 2): readonly Second[] {
  const phase = PHASES.findIndex((each) => each.name === name);
  return seconds.filter((each) => each.phase === phase).slice(skip, -1);
}

interface Figures {
  readonly capacity: number;
  readonly goodput: number;
  readonly fullGoodput: number;
  readonly p99: number;
  readonly normalP99: number;
  readonly criticalShare: number;
  readonly offered: number;
  readonly recovery: number;
  readonly heap: number;
}

function figuresOf({ capacity, seconds }: Measured): Figures {
  const perSecond = (part: readonly Second[]): number => sum(part.map(({ ok }) => ok)) / part.length;
  const overload = inPhase(seconds, 'overload');
  const critical = sum(overload.map((each) => each.critical));
  const normalP99 = p99(inPhase(seconds, 'normal'));
  const after = inPhase(seconds, 'after', 0);
  // The last second in which a call in fifty failed, or the p99 was twice that of before.
  const bad = (each: Second): boolean => each.ok < 0.98 * each.calls || p99([each]) > 2 * normalP99;
  return {
    capacity,
    fullGoodput: perSecond(inPhase(seconds, 'full')),
    goodput: perSecond(overload),
    p99: p99(overload),
    normalP99,
    criticalShare: sum(overload.map((each) => each.criticalOk)) / critical,
    offered: sum(overload.map(({ attempts }) => attempts)) / sum(overload.map(({ calls }) => calls)),
    recovery: after.findLastIndex(bad) + 1,
    heap: Math.max(...seconds.map(({ heap }) => heap)) / 2 ** 20,
  };
}

function print(subject: string, figures: Figures): void {
  const percent = (part: number): string => `${(100 * part).toFixed(1)} %`;
  console.log(
    `${subject}: capacity ${figures.capacity.toFixed(0)}/s; goodput ${figures.goodput.toFixed(0)}/s, ${percent(figures.goodput / figures.fullGoodput)} of ${figures.fullGoodput.toFixed(0)}/s at 1.0; ` +
      `p99 ${figures.p99.toFixed(0)} ms, ${(figures.p99 / figures.normalP99).toFixed(2)} of ${figures.normalP99.toFixed(0)} ms at ${NORMAL}; ` +
      `critical ${percent(figures.criticalShare)}; ${figures.offered.toFixed(3)} attempts a call; ` +
      `recovered after ${figures.recovery} s; heap ${figures.heap.toFixed(0)} MB at most`,
  );
}

/** Second by second, to look closer: CHAOS_TRACE=1. */
function trace(seconds: readonly Second[]): void {
  for (const each of seconds) {
    const { at, calls, ok, critical, criticalOk, attempts } = each;
    const parts = [
      PHASES[each.phase]?.name ?? 'calibration',
      at,
      calls,
      ok,
      attempts,
      `${criticalOk}/${critical}`,
      p99([each]).toFixed(0),
    ];
    console.log(parts.join(' '));
  }
}

const measured = await measure(true);
const own = figuresOf(measured);
print('grpc-lb', own);
if (process.env['CHAOS_TRACE']) trace(measured.seconds);
if (!process.env['CHAOS_TRACE']) print('stock Nest', figuresOf(await measure(false)));
const missed = [
  own.goodput < 0.9 * own.fullGoodput && 'goodput >= 90 % of that at 1.0',
  own.p99 > 2 * own.normalP99 && `p99 of accepted calls <= 2 times that at ${NORMAL}`,
  own.criticalShare < 0.99 && 'critical calls >= 99 % served',
  own.offered > 1.1 && 'offered load <= 1.1 times the calls',
  own.recovery > 5 && 'back to normal < 5 s after',
  own.heap > 200 && 'heap of the client < 200 MB',
].filter((bound) => bound !== false);
for (const bound of missed) console.log(`missed: ${bound}`);
process.exitCode = missed.length > 0 ? 1 : 0;
