/**
 * Where the client's CPU goes: one subject with the profiler on, its own time by package and by function.
 *
 *   npm run bench profile -- [--subject "nestjs-grpc-lb least_request"] [--kind unary|interceptors|streaming]
 *     [--messages 30000] [--concurrency 10]
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { startBackends, SubjectProcess } from './processes.js';
import type { Kind } from './run-spec.js';

interface Profile {
  readonly nodes: readonly ProfileNode[];
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

interface ProfileNode {
  readonly id: number;
  readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number };
}

const { values } = parseArgs({
  options: {
    subject: { type: 'string', default: 'nestjs-grpc-lb least_request' },
    kind: { type: 'string', default: 'unary' },
    messages: { type: 'string', default: '30000' },
    concurrency: { type: 'string', default: '10' },
  },
});
const { subject } = values;
const messages = Number(values.messages);
const spec = {
  subject,
  kind: values.kind as Kind,
  concurrency: Number(values.concurrency),
  channelOptions: {},
  build: undefined,
};

async function profileOf(): Promise<{ profile: Profile; cpu: number }> {
  const directory = mkdtempSync(join(tmpdir(), 'grpc-lb-profile-'));
  const backends = await startBackends();
  try {
    const nodeOptions = ['--cpu-prof', '--cpu-prof-interval', '200', '--cpu-prof-dir', directory];
    const process = new SubjectProcess(spec, backends, nodeOptions);
    await process.warm();
    const { cpu } = await process.receive(messages);
    await process.stop();
    const [file] = readdirSync(directory);
    return { profile: JSON.parse(readFileSync(join(directory, file!), 'utf8')) as Profile, cpu };
  } finally {
    await backends.stop();
    rmSync(directory, { recursive: true });
  }
}

/** Whose code it is. */
function ownerOf({ callFrame: { functionName, url } }: ProfileNode): string {
  if (functionName === '(idle)' || functionName === '(garbage collector)') return functionName;
  const module = /.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url)?.[1];
  if (module !== undefined) return module;
  if (url.startsWith('node:')) return url.split('/').slice(0, 3).join('/');
  if (url.includes('/libs/grpc-lb/')) return `nestjs-grpc-lb ${/dist\/(\w+)/.exec(url)?.[1] ?? ''}`;
  return url === '' ? 'native' : 'bench';
}

function print(title: string, times: ReadonlyMap<string, number>, count: number): void {
  const busy = [...times].filter(([name]) => !name.startsWith('(idle)'));
  console.log(`\n${title}`);
  for (const [name, time] of busy.toSorted(([, a], [, b]) => b - a).slice(0, count)) {
    console.log(`${((100 * time) / total).toFixed(1).padStart(6)} %  ${name}`);
  }
}

const { profile, cpu } = await profileOf();
const nodes = new Map(profile.nodes.map((node) => [node.id, node]));
const byOwner = new Map<string, number>();
const byFunction = new Map<string, number>();
// The first half is the warm-up.
for (let i = profile.samples.length >> 1; i < profile.samples.length; i++) {
  const node = nodes.get(profile.samples[i]!)!;
  const owner = ownerOf(node);
  const { functionName, url, lineNumber } = node.callFrame;
  const name = `${functionName || '(anonymous)'}  ${owner} ${url.split('/').at(-1)}:${lineNumber + 1}`;
  byOwner.set(owner, (byOwner.get(owner) ?? 0) + profile.timeDeltas[i]!);
  byFunction.set(name, (byFunction.get(name) ?? 0) + profile.timeDeltas[i]!);
}
const total = [...byOwner].reduce((sum, [name, time]) => (name === '(idle)' ? sum : sum + time), 0);
const own = new Map([...byFunction].filter(([name]) => name.includes('  nestjs-grpc-lb ')));
console.log(`${subject}: ${(cpu / messages).toFixed(1)} µs of CPU for each, with the profiler`);
print('Own time by package', byOwner, 16);
print('Own time by function', byFunction, 40);
print('Own time by function of this package', own, 40);
