import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { ROOT } from './pages.js';

interface Step {
  readonly uses?: string;
  readonly run?: string;
}

interface Job {
  readonly 'runs-on'?: string;
  readonly 'timeout-minutes'?: number;
  readonly needs?: string;
  readonly permissions?: Readonly<Record<string, string>>;
  readonly strategy?: { readonly matrix: { readonly node: readonly number[] } };
  readonly steps: readonly Step[];
}

interface Workflow {
  readonly on: Readonly<Record<string, unknown>>;
  readonly permissions: Readonly<Record<string, string>>;
  readonly jobs: Readonly<Record<string, Job>>;
}

const FOLDER = '.github/workflows';
const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');
const texts = new Map(readdirSync(join(ROOT, FOLDER)).map((name) => [name, read(`${FOLDER}/${name}`)]));
const workflows = [...texts].map(([name, text]) => [name, parse(text) as Workflow] as const);
const named = new Map(workflows);

const library = JSON.parse(read('libs/grpc-lb/package.json')) as { version: string; dependencies?: object };

describe.each(workflows)('the workflow %s', (name, workflow) => {
  const jobs = Object.entries(workflow.jobs);
  const steps = jobs.flatMap(([, job]) => job.steps);

  it('has jobs that can run, and end', () => {
    for (const [, job] of jobs) {
      expect(job['runs-on']).toBeTypeOf('string');
      expect(job['timeout-minutes']).toBeGreaterThan(0);
      expect([undefined, ...Object.keys(workflow.jobs)]).toContain(job.needs);
    }
  });

  it('has steps that either use an action with a version, or run something', () => {
    for (const { uses, run } of steps) {
      expect([uses, run].filter((each) => each !== undefined)).toHaveLength(1);
      expect(uses ?? 'none/none@v0').toMatch(/^[\w-]+\/[\w-]+@v\d+$/);
    }
  });

  it('runs scripts that exist', () => {
    const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
    const commands = steps.flatMap(({ run }) => (run === undefined ? [] : [run]));
    for (const [, script] of commands.join('\n').matchAll(/npm run ([\w:]+)/g)) expect(scripts).toHaveProperty(script!);
    for (const [, file] of commands.join('\n').matchAll(/node (\S+\.mjs)/g)) expect(read(file!)).not.toBe('');
  });

  it('may read by default, and has no text of others in its shell', () => {
    expect(workflow.permissions).toEqual({ contents: 'read' });
    // A branch or a tag may have any name; in the environment it is a value, in the command it would be code.
    for (const { run } of steps) expect(run ?? '').not.toContain('${{');
    expect(texts.get(name)).not.toContain('registry-url');
  });
});

it('all versions of Node are tested that the package supports', () => {
  const nodes = named.get('ci.yml')!.jobs['test']!.strategy!.matrix.node;
  expect(nodes).toEqual([20, 22, 24, 26]);
});

it('a release is published with provenance, after all checks, with the list of its parts', () => {
  const { check, publish } = named.get('release.yml')!.jobs;
  expect(publish!.needs).toBe('check');
  expect(check!.steps.map(({ run }) => run)).toContain('.ci/run');
  expect(publish!.permissions).toEqual({ contents: 'write', 'id-token': 'write' });
  const commands = publish!.steps.map(({ run = '' }) => run).join('\n');
  expect(commands).toMatch(/npm publish \S+ --provenance/);
  expect(commands).toContain('npm sbom --sbom-format cyclonedx');
});

it('the package has no dependencies of its own, as SECURITY.md says', () => {
  expect(library.dependencies).toBeUndefined();
});

describe('the notes of a release', async () => {
  const { releaseNotes } = (await import(join(ROOT, '.github/release-notes.mjs'))) as {
    releaseNotes(tag: string, version: string, changelog: string): string;
  };
  const changelog =
    '# Changelog\n\n## [Unreleased]\n\n- later\n\n## [1.2.3] - 2026-12-01\n\n- this\n\n## [1.2.2] - 2026-11-01\n\n- old\n';

  it('are the section of its version', () => {
    expect(releaseNotes('v1.2.3', '1.2.3', changelog)).toBe('- this');
  });

  it.each([
    ['v1.2.4', '1.2.3', changelog, 'the tag v1.2.4 is not v1.2.3'],
    ['v2.0.0', '2.0.0', changelog, 'has no section "## [2.0.0]'],
    ['v1.2.3', '1.2.3', changelog.replace(' - 2026-12-01', ''), 'has no date'],
    ['v1.2.3', '1.2.3', changelog.replace('- this\n', ''), 'says nothing about 1.2.3'],
  ])('of %s are refused', (tag, version, text, message) => {
    expect(() => releaseNotes(tag, version, text)).toThrow(message);
  });
});

it('one version is named everywhere', () => {
  expect(read('libs/grpc-lb/src/telemetry/version.ts')).toContain(`'${library.version}'`);
  const lock = JSON.parse(read('package-lock.json')) as { packages: Record<string, { version: string }> };
  expect(lock.packages['libs/grpc-lb']!.version).toBe(library.version);
  const examples = readdirSync(join(ROOT, 'examples')).map((name) => `examples/${name}/README.md`);
  for (const page of ['README.md', 'docs/guide/getting-started.md', 'docs/guide/migration.md', ...examples]) {
    const tarballs = [...read(page).matchAll(/nestjs-grpc-lb-(\d+\.\d+\.\d+)\.tgz/g)].map(([, version]) => version);
    expect(new Set([library.version, ...tarballs]), page).toEqual(new Set([library.version]));
  }
});
