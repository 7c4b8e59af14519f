/**
 * CPU time of the client for each message through Nest: this package against Nest's own ClientGrpc over grpc-js
 * round_robin, on the same backends. In each round every subject is a fresh process, and they take turns every few hundred
 * milliseconds, so that other programs disturb all of them alike.
 *
 *   npm run bench:cpu -- [--quick] [--kind unary|interceptors|streaming|generated|generated-one]... [--rounds 7]
 *     [--calls 20000] [--messages 400000] [--concurrency 10] [--streams 4] [--with '{"grpc.enable_channelz":0}']...
 *     [--build /path/to/another/worktree]... [--node=--max-semi-space-size=64]...
 *
 * The kinds `generated` and `generated-one` compare messages by generated code with those by proto-loader, all in this
 * package's client: 25 orders in the answer, and one each way.
 *
 * `--quick`: 3 rounds with fewer calls. Each `--with` and each `--build` is one more subject: this package's
 * least_request with those channel options, or as it is built in another checkout. Each `--node` is two more: that and
 * the baseline in a Node process with that option.
 */
import { loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { toMarkdown } from '../sim/report/tables.js';
import { saveResults } from '../results/store.js';
import { cellsOf, CPU_HEAD, type CpuRound, cpuRows, type CpuTable } from './cpu-table.js';
import { generateOrders } from './generated/generate.js';
import { type Backends, startBackends } from './processes.js';
import { type Entry, measureRound } from './round.js';
import type { Kind } from './run-spec.js';

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    kind: {
      type: 'string',
      multiple: true,
      default: ['unary', 'interceptors', 'streaming', 'generated', 'generated-one'],
    },
    rounds: { type: 'string' },
    calls: { type: 'string' },
    messages: { type: 'string' },
    concurrency: { type: 'string', default: '10' },
    streams: { type: 'string', default: '4' },
    with: { type: 'string', multiple: true, default: [] },
    build: { type: 'string', multiple: true, default: [] },
    node: { type: 'string', multiple: true, default: [] },
  },
});
const rounds = Number(values.rounds ?? (values.quick ? 3 : 7));
const calls = Number(values.calls ?? (values.quick ? 8000 : 20_000));
const messages = Number(values.messages ?? (values.quick ? 100_000 : 400_000));

const BASELINE = 'nest + grpc-js round_robin';
const OWN = 'nestjs-grpc-lb least_request';
const ADAPTIVE = 'nestjs-grpc-lb adaptive';
const PROMISES = 'nestjs-grpc-lb as Promises';
const LOWER = ['grpc-js subchannels alone', 'node:http2'];
const GOALS: Readonly<Partial<Record<Kind, number>>> = {
  unary: 0.72,
  interceptors: 0.85,
  streaming: 0.8,
  generated: 0.95,
};
const BY_LOADER = 'messages by proto-loader';
const GENERATED_HEAD = CPU_HEAD.with(2, 'over proto-loader');
/** Whose ratio has a goal. */
const BY_TS_PROTO = 'messages by ts-proto, grpc-js';
const GENERATED = [BY_TS_PROTO, 'messages by ts-proto, generic-definitions', 'messages by protobuf-es'];

const isGenerated = (kind: Kind): boolean => kind === 'generated' || kind === 'generated-one';

function entriesOf(kind: Kind): Entry[] {
  if (isGenerated(kind)) return [BY_LOADER, ...GENERATED].map((subject) => ({ title: subject, subject }));
  // They have no interceptors.
  const lower = kind === 'interceptors' ? [] : LOWER;
  return [
    ...[BASELINE, OWN, ADAPTIVE, PROMISES, ...lower].map((subject) => ({ title: subject, subject })),
    ...values.with.map((json) => ({
      title: `${OWN}, ${json}`,
      subject: OWN,
      channelOptions: JSON.parse(json) as object,
    })),
    ...values.build.map((build) => ({ title: `${OWN} of ${build}`, subject: OWN, build })),
    ...values.node.flatMap((nodeOption) =>
      [BASELINE, OWN].map((subject) => ({ title: `${subject}, node ${nodeOption}`, subject, nodeOption })),
    ),
  ];
}

function titleOf(kind: Kind): string {
  const what = {
    unary: `a unary call; ${calls} calls a round, ${values.concurrency} at a time`,
    interceptors: `a unary call with one interceptor; ${calls} calls a round, ${values.concurrency} at a time`,
    'generated-one': `a unary call with an order of some twenty values each way; ${calls} calls a round, ${values.concurrency} at a time`,
    generated: `a unary call that answers 25 orders of some twenty values each; ${calls} calls a round, ${values.concurrency} at a time`,
    streaming: `a message of 1 KB from a stream of the server; ${messages} messages a round, ${values.streams} streams at a time`,
  }[kind];
  return `Client CPU for ${what}; median (min to max) of ${rounds} rounds`;
}

async function measure(kind: Kind, backends: Backends): Promise<CpuTable> {
  const entries = entriesOf(kind);
  const results = new Map(entries.map(({ title }) => [title, [] as CpuRound[]]));
  for (let round = 1; round <= rounds; round++) {
    const streaming = kind === 'streaming';
    const concurrency = Number(streaming ? values.streams : values.concurrency);
    const runs = await measureRound(entries, { kind, concurrency, total: streaming ? messages : calls }, backends);
    entries.forEach(({ title }, i) => results.get(title)!.push(runs[i]!));
    const ratio = runs[1]!.ratio.toFixed(2);
    process.stderr.write(
      `${kind}: round ${round} of ${rounds}, ${entries[1]!.title} ${ratio}, load average ${loadavg()[0]!.toFixed(1)}\n`,
    );
  }
  const goal = GOALS[kind];
  const withGoal = entries.filter(({ subject }) => [OWN, ADAPTIVE, BY_TS_PROTO].includes(subject));
  const goals = new Map(goal === undefined ? [] : withGoal.map(({ title }) => [title, goal]));
  return {
    title: titleOf(kind),
    head: isGenerated(kind) ? GENERATED_HEAD : CPU_HEAD,
    rows: cpuRows(results, goals),
  };
}

if ((values.kind as Kind[]).some(isGenerated)) generateOrders();
const backends = await startBackends();
const tables: CpuTable[] = [];
for (const kind of values.kind as Kind[]) {
  const table = await measure(kind, backends);
  tables.push(table);
  console.log(`\n${table.title}\n\n${toMarkdown({ head: table.head ?? CPU_HEAD, rows: table.rows.map(cellsOf) })}`);
}
await backends.stop();
saveResults('cpu', 'cpu', { tables });
