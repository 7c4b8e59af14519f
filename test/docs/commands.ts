import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { simOptions } from '../../bench/sim/options.js';
import { readFlags } from '../../apps/demo-client/src/runner/flags.js';
import { readEnvironment } from '../../libs/grpc-lb/src/config/read-environment.js';
import type { Fault } from '../../libs/grpc-lb/src/core/errors.js';
import { readDocument } from '../../libs/grpc-lb/src/discovery/file/document.js';
import { parseCommand } from '../../libs/grpc-lb/src/doctor/cli/arguments.js';
import type { MetricDefinition } from '../../libs/grpc-lb/src/telemetry/metrics/definition.js';
import { METRICS } from '../../libs/grpc-lb/src/telemetry/metrics/metrics.js';
import { prometheusLabel, prometheusName } from '../../libs/grpc-lb/src/telemetry/metrics/prometheus-name.js';
import { SERVER_METRICS } from '../../libs/grpc-lb/src/telemetry/metrics/server-metrics.js';
import { ROOT } from './pages.js';

/** What makes a command of the documents true: who runs it, and what is checked of the words in it here. */
export interface CommandRule {
  readonly command: RegExp;
  /** The file whose run executes it, or why no test can. */
  readonly runBy: string;
  /** Throws if a word of it is wrong. */
  readonly check?: (words: readonly string[], line: string) => void;
}

const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');
const manifest = JSON.parse(read('package.json')) as {
  scripts: Record<string, string>;
  devDependencies: Record<string, string>;
};
const library = JSON.parse(read('libs/grpc-lb/package.json')) as {
  version: string;
  peerDependencies: Record<string, string>;
};

function must(holds: boolean, fault: string): void {
  if (!holds) throw new Error(fault);
}

/** The options of a program that has its own parser of them: each is named somewhere in its sources. */
function flagsOf(...folders: readonly string[]): (words: readonly string[]) => void {
  return (words) => {
    const sources = folders.flatMap((folder) =>
      readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
        .filter((name) => /\.(ts|mjs)$/.test(name) && !name.includes('node_modules') && !name.includes('dist'))
        .map((name) => read(join(folder, name))),
    );
    const text = sources.join('\n');
    const part = words.slice(3).find((word) => /^[a-z][a-z-]*$/.test(word));
    if (part !== undefined && words.indexOf(part) === 3)
      must(new RegExp(`^ *(case )?'?${part}'?[:,]|'${part}'`, 'm').test(text), `${folders[0]} has no part ${part}`);
    for (const word of words.filter((each) => /^--[a-z]/.test(each))) {
      const name = word.slice(2).split('=')[0]!;
      must(
        new RegExp(`^ *'?${name}'?: ?\\{ ?type|--${name}\\b`, 'm').test(text),
        `${folders[0]} has no option --${name}`,
      );
    }
  };
}

const afterDashes = (words: readonly string[]): string[] => words.slice(words.indexOf('--') + 1);

function areInstalled(words: readonly string[]): void {
  for (const word of words.slice(2)) {
    if (word.startsWith('-')) continue;
    if (word.endsWith('.tgz'))
      must(word.endsWith(`nestjs-grpc-lb-${library.version}.tgz`), `${word} is another version`);
    else {
      const name = /^(@?[^@]+)/.exec(word)![1]!;
      const known = [library.peerDependencies, manifest.devDependencies].some((all) => Object.hasOwn(all, name));
      must(known || name === 'nestjs-grpc-lb', `${name} is neither a peer of the package nor used in its tests`);
    }
  }
}

function isScript(words: readonly string[]): void {
  must(Object.hasOwn(manifest.scripts, words[2]!), `package.json has no script ${words[2]}`);
}

function pathsExist(words: readonly string[]): void {
  for (const word of words.filter((each) => each.includes('/') && !each.startsWith('-')))
    must(existsSync(join(ROOT, word)), `${word} does not exist`);
}

const METRIC_NAMES: ReadonlySet<string> = new Set(
  Object.entries({ ...METRICS, ...SERVER_METRICS }).map(([name, definition]) => prometheusName(name, definition)),
);
const LABELS: ReadonlySet<string> = new Set(
  Object.values<MetricDefinition>({ ...METRICS, ...SERVER_METRICS })
    .flatMap(({ labels, optionalLabels = [] }) => [...labels, ...optionalLabels])
    .map(prometheusLabel),
);

/** Names of metrics in a query or a pattern: `grpc_lb_(pending|endpoints)` has two. */
function metricsExist(_words: readonly string[], line: string): void {
  const [, prefix = '', some = ''] = /\b(grpc_\w+_)\(([\w|]+)\)/.exec(line) ?? [];
  const names = [...line.matchAll(/\bgrpc_\w+\b(?!\()/g)].map(([name]) => name);
  for (const name of [
    ...names,
    ...some
      .split('|')
      .filter(Boolean)
      .map((end) => prefix + end),
  ]) {
    if (name === prefix || name.endsWith('_') || LABELS.has(name)) continue;
    must(METRIC_NAMES.has(name.replace(/_(bucket|sum|count)$/, '')), `${name} is no metric`);
  }
}

function areVariables(_words: readonly string[], line: string): void {
  const [, name, value] = /^(\w+)=(.*)$/.exec(line)!;
  const faults: Fault[] = [];
  readEnvironment({ [name!]: value!.replaceAll(/^['"]|['"]$/g, '') }, faults);
  must(faults.length === 0, faults.map(({ path, message }) => `${path} ${message}`).join());
}

/** Without the redirection, and with a file that exists in the place of certificates, which the command reads. */
const doctorArguments = (words: readonly string[]): string[] =>
  words
    .slice(2, words.includes('>') ? words.indexOf('>') : undefined)
    .map((word) => (/\.(crt|key)$/.test(word) ? join(ROOT, 'package.json') : word));

function hasSchematicOptions(words: readonly string[]): void {
  const schema = JSON.parse(read('libs/grpc-lb/src/schematics/nest-add/schema.json')) as { properties: object };
  for (const word of words.filter((each) => each.startsWith('--'))) {
    const name = word
      .slice(2)
      .split('=')[0]!
      .replaceAll(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
    must(Object.hasOwn(schema.properties, name), `nest add has no option ${name}`);
  }
}

const CLUSTER = 'needs a cluster or Docker, which the machines that test this do not have';
const KUBECTL = 'test/external/discovery/kubectl-commands.test.ts (understood by kubectl; no cluster runs it)';
const GUIDE = 'test/docs/guide.test.ts';
const FIRST_STEPS = 'test/package/first-steps.test.ts';

/** In this order; the first that fits a line decides. */
export const COMMANDS: readonly CommandRule[] = [
  { command: /^npm ci$/, runBy: '.ci/run' },
  {
    command: /^npm (test|run (check|build:lib|format))\b/,
    runBy: '.ci/run',
    check: (words) => words[1] === 'run' && isScript(words),
  },
  { command: /^npm run test:external/, runBy: '.ci/run', check: flagsOf('test/external') },
  { command: /^npm run test:fuzz/, runBy: 'test/fuzz/wire.test.ts', check: flagsOf('test/fuzz') },
  {
    command: /^npm run demo/,
    runBy: 'test/external/page/demo.test.ts',
    check: (words) => words.includes('--') && void readFlags(afterDashes(words)),
  },
  {
    command: /^npm run sim/,
    runBy: 'test/properties (the simulator); a whole run takes minutes',
    check: (words) => words.includes('--') && void simOptions(afterDashes(words)),
  },
  { command: /^npm run bench/, runBy: 'by hand: it measures, and takes minutes', check: flagsOf('bench') },
  { command: /^npm run chaos/, runBy: 'by hand: it takes minutes', check: flagsOf('chaos') },
  {
    command: /^npm run observability/,
    runBy: 'deploy/observability/dashboards/dashboards.test.ts',
    check: flagsOf('deploy/observability'),
  },
  {
    command: /^npm run try:kubernetes/,
    runBy: 'test/e2e/discovery (the API server that it starts)',
    check: flagsOf('deploy/try'),
  },
  // Of the starter.
  { command: /^npm run test:e2e$/, runBy: FIRST_STEPS },
  {
    command: /^npm run \S+$/,
    runBy: '.ci/run',
    check: (words) =>
      must(read('.ci/run').includes(`npm run --silent ${words[2]}`), `.ci/run does not run ${words[2]}`),
  },
  {
    command: /^npm pack/,
    runBy: 'test/package/global-setup.ts',
    check: (words) => must(words.includes('nestjs-grpc-lb'), 'another workspace'),
  },
  // The test installs what the page's table of compilers names.
  { command: /^npm install --save-dev (@swc\/cli|@rspack\/core|esbuild)\b/, runBy: FIRST_STEPS },
  { command: /^npx --yes @nestjs\/cli@1[12] new orders /, runBy: FIRST_STEPS },
  { command: /^npx (nest build( -b (swc|webpack|rspack))?$|esbuild dist\/main\.js )/, runBy: FIRST_STEPS },
  { command: /^npm install( |$)/, runBy: 'test/package/consumers.test.ts', check: areInstalled },
  { command: /^npm (ls|dedupe)\b/, runBy: 'npm itself' },
  { command: /^npx buf generate$/, runBy: 'test/docs/generated-code.test.ts' },
  { command: /^npx vitest( run)?( |$)/, runBy: '.ci/run', check: (words) => words[3] !== 'PATH' && pathsExist(words) },
  {
    command: /^npx nestjs-grpc-lb /,
    runBy: 'test/package/doctor.test.ts',
    check: (words) => void parseCommand(doctorArguments(words)),
  },
  { command: /^nest add nestjs-grpc-lb/, runBy: 'test/package/schematic.test.ts', check: hasSchematicOptions },
  { command: /^npx nest start demo-(server|client)\b/, runBy: "Nest's own tool; demo.test.ts runs the same programs" },
  { command: /^(PORT=\d+ )?node dist\/(server|main)\.js( &)?$/, runBy: GUIDE },
  { command: /^for i in .* curl -s localhost:3000\/orders/, runBy: GUIDE },
  { command: /^curl -s localhost:3000\/balancing$/, runBy: GUIDE },
  {
    command: /^curl -s \$APP\/metrics|^curl -s localhost:3000\/metrics/,
    runBy: 'test/e2e/telemetry/metrics.test.ts',
    check: metricsExist,
  },
  {
    command: /^promtool query instant \$PROM/,
    runBy: 'test/external/observability/queries.test.ts (understood by promtool)',
    check: metricsExist,
  },
  { command: /^GRPC_LB_\w+=/, runBy: 'here', check: areVariables },
  {
    command: /^echo 'endpoints: .*' > /,
    runBy: 'test/e2e/discovery/file.test.ts',
    check: (_words, line) => void readDocument(/'(.*)'/.exec(line)![1]!, 'yaml'),
  },
  { command: /^(NODE_OPTIONS=--experimental-vm-modules npx jest|node --test) /, runBy: 'test/package/testing.test.ts' },
  {
    command: /^curl -X POST http:\/\/localhost:3000\/demo\/backends\//,
    runBy: 'apps/demo-client/src/page-guard.test.ts',
    check: (words) => must(/:\d+\/kill$/.test(words[3]!), 'action.test.ts knows the actions'),
  },
  {
    command: /^(consul agent|curl (-X PUT .*)?localhost:8500)/,
    runBy: 'needs a Consul agent; test/e2e/discovery has one that answers alike',
  },
  {
    command: /^kubectl apply -k /,
    runBy: KUBECTL,
    check: (words) => must(existsSync(join(ROOT, words[3]!, 'kustomization.yaml')), `${words[3]} has no kustomization`),
  },
  { command: /^(pod=\$\(kubectl|kubectl) /, runBy: KUBECTL },
  { command: /^(export \w+=http|docker|kind|NODE_IMAGE=)/, runBy: CLUSTER },
];

/** The commands of a block of shell: without comments, and those joined by `&&` apart. */
export function commandsOf(text: string): string[] {
  return text
    .split('\n')
    .map((line) => line.replace(/ {2,}#.*| # .*$/, '').trim())
    .filter((line) => line !== '' && !line.startsWith('#'))
    .flatMap((line) => line.split(' && '));
}

/** The rule of a command, or undefined if there is none. Throws if the command is wrong. */
export function ruleOf(line: string): CommandRule | undefined {
  const rule = COMMANDS.find(({ command }) => command.test(line));
  rule?.check?.(wordsOf(line), line);
  return rule;
}

/** As a shell splits them, quotes aside. */
function wordsOf(line: string): string[] {
  return [...line.matchAll(/'([^']*)'|"([^"]*)"|(\S+)/g)].map(([, single, double, bare]) => single ?? double ?? bare!);
}
