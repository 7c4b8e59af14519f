const USAGE = `npm run chaos [part] -- [options]

  scenarios     backends that fail, beside other clients; the default
                [--only a,b] [--rate n] [--list] [--write: docs/measurements/chaos.md]
  soak          random faults for minutes or hours   [--minutes 10] [--seed 1]
  calls         calls of all kinds, given up at random moments
                [--calls 200000] [--seed 1] [--gigabytes 1]
  streams       streams that move and resume
                [--plain] [--streams 500] [--rate 2000] [--rounds 2] [--age ms]
  stream-ends   streams that a server ends   [--streams 10000]
  tls           certificates that rotate   [--rate 1000] [--seconds 120] [--every 10]
  shedding      servers that shed load   [--seconds 60] [--block 20] [--clients 1]
  hops          deadlines that travel through four services   [--calls 400] [--rate 40]`;

const PARTS: Readonly<Record<string, () => Promise<unknown>>> = {
  scenarios: () => import('./run.js'),
  soak: () => import('./soak.js'),
  calls: () => import('./calls.js'),
  streams: () => import('./streams.js'),
  'stream-ends': () => import('./stream-ends.js'),
  tls: () => import('./tls.js'),
  shedding: () => import('./shedding/run.js'),
  hops: () => import('./hops/run.js'),
};

// The exit ends the processes too, those that are stopped as well.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));

const part = process.argv[2]?.startsWith('-') === false ? process.argv.splice(2, 1)[0]! : 'scenarios';
const run = Object.hasOwn(PARTS, part) ? PARTS[part] : undefined;
if (process.argv.includes('--help')) console.log(USAGE);
else if (run) await run();
else {
  console.error(`There is no part "${part}" of chaos.\n\n${USAGE}`);
  process.exitCode = 2;
}
