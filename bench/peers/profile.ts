/**
 * Where the client's CPU goes: one subject with the profiler on, its own time by package and by function.
 *
 *   npm run bench profile -- ["nestjs-grpc-lb adaptive"] [calls] [concurrency]
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runSubject, startBackends } from './processes.js';

interface Profile {
  readonly nodes: readonly ProfileNode[];
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

interface ProfileNode {
  readonly id: number;
  readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number };
}

const [subject = 'nestjs-grpc-lb adaptive', calls = '30000', concurrency = '10'] = process.argv.slice(2);

async function profileOf(): Promise<{ profile: Profile; cpu: number }> {
  const directory = mkdtempSync(join(tmpdir(), 'grpc-lb-profile-'));
  const backends = await startBackends();
  try {
    const nodeOptions = ['--cpu-prof', '--cpu-prof-interval', '200', '--cpu-prof-dir', directory];
    const { cpu } = await runSubject(subject, backends.addresses, [calls, concurrency], nodeOptions);
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
  const total = busy.reduce((sum, [, time]) => sum + time, 0);
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
console.log(`${subject}: ${cpu.toFixed(0)} µs of CPU a call, with the profiler`);
print('Own time by package', byOwner, 16);
print('Own time by function', byFunction, 40);
