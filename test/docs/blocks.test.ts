import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadSync } from '@grpc/proto-loader';
import ts from 'typescript';
import { describe, expect, it, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { unknownFields } from '../support/kubernetes/fields.js';
import { readPages } from './pages.js';

/** Blocks that are not TypeScript: `docs.test.ts` compiles that, and `commands.test.ts` reads shell. */

const blocks = readPages().flatMap(({ path, code }) =>
  code.map(({ language, text }, i) => ({ title: `${path}, block ${i}`, language, text })),
);
const of = (language: string): (typeof blocks)[number][] => blocks.filter((block) => block.language === language);

describe('JSON is JSON', () => {
  it.each(of('json'))('$title', ({ text }) => {
    expect(() => JSON.parse(text) as unknown).not.toThrow();
  });
});

interface Manifest {
  readonly apiVersion?: string;
  readonly kind?: string;
}

/** Kinds that kubectl knows by itself; others, such as those of cert-manager, have schemas elsewhere. */
const isOfKubernetes = ({ apiVersion = '' }: Manifest): boolean => /^(v1|(\w+|[\w.]+\.k8s\.io)\/v1)$/.test(apiVersion);

function faultsOf(text: string): string[] {
  return [...parseAllDocuments(text)].flatMap((document): string[] => {
    if (document.errors.length > 0) return document.errors.map(({ message }) => message);
    const manifest = document.toJS() as Manifest;
    return manifest?.kind !== undefined && isOfKubernetes(manifest)
      ? unknownFields(manifest, `V1${manifest.kind}`)
      : [];
  });
}

describe('YAML is YAML, and manifests have the fields of Kubernetes', () => {
  it.each(of('yaml'))('$title', ({ text }) => {
    expect(faultsOf(text)).toEqual([]);
  });

  test('others are detected', () => {
    expect(faultsOf('apiVersion: v1\nkind: Service\nspec: { clusterIp: None }')).toEqual(['spec.clusterIp']);
    expect(faultsOf('a: [')).toHaveLength(1);
  });
});

describe('contracts are contracts', () => {
  it.each(of('proto'))('$title', ({ text }) => {
    const folder = mkdtempSync(join(tmpdir(), 'proto-'));
    // A part is one of a service, whose messages are elsewhere.
    const types = new Set([...text.matchAll(/\((?:stream )?(\w+)\)/g)].map(([, name]) => `message ${name} {}`));
    const whole = text.includes('syntax =')
      ? text
      : `syntax = "proto3";\nservice X {\n${text}\n}\n${[...types].join('\n')}`;
    try {
      writeFileSync(join(folder, 'page.proto'), whole);
      expect(Object.keys(loadSync(join(folder, 'page.proto'))).length).toBeGreaterThan(0);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe('JavaScript has the syntax of a module', () => {
  it.each(of('js'))('$title', ({ text }) => {
    const { diagnostics } = ts.transpileModule(text, {
      compilerOptions: { allowJs: true, target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext },
      fileName: 'page.js',
      reportDiagnostics: true,
    });
    expect(diagnostics).toEqual([]);
  });
});

test('there are no blocks that nothing reads', () => {
  // Go and Python show what clients in other languages do, in a few lines of a longer program; GitHub draws Mermaid.
  const unread = ['go', 'mermaid', 'python', ''];
  const readHere = ['json', 'yaml', 'proto', 'js', 'ts', 'ts partial', 'sh', 'diff'];
  const others = blocks.filter(({ language }) => ![...unread, ...readHere].includes(language));
  expect(others).toEqual([]);
  expect(blocks.filter(({ language }) => ['go', 'python'].includes(language)).length).toBeLessThan(4);
});
