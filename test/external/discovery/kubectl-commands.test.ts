import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { commandsOf } from '../../docs/commands.js';
import { readPage, readPages, ROOT } from '../../docs/pages.js';
import { KUBECTL } from './kubectl-version.js';

/**
 * The kubectl commands of the documents, without a cluster. A command that kubectl understands fails because nothing
 * answers at the address; one with a wrong word or option fails before that. So this does not show what they do.
 */

const NOWHERE = ['--server=http://127.0.0.1:1'];
const environment = { ...process.env, KUBECONFIG: '/dev/null', HOME: '/nonexistent' };

const pages = [...readPages(), readPage('examples/kubernetes/README.md')];
/** A name alone, such as `kubectl logs`, is no command to run. */
const inlineOf = (path: string): string[] =>
  [...readFileSync(join(ROOT, path), 'utf8').matchAll(/(?<!`)`(kubectl [^`\n]+)`(?!`)/g)]
    .map(([, text]) => text!)
    .filter((text) => text.split(' ').length > 2);
const blocksOf = ({ code }: (typeof pages)[number]): string[] =>
  code.filter(({ language }) => language === 'sh').flatMap(({ text }) => commandsOf(text));

const commands = new Map(
  pages
    .filter(({ path }) => !path.startsWith('docs/decisions/') && path !== 'CHANGELOG.md')
    .flatMap((page) => [...blocksOf(page), ...inlineOf(page.path)].map((line) => [line, page.path] as const))
    .flatMap(([line, path]) => {
      const [command] = /kubectl [^|)&]*/.exec(line) ?? [];
      return command === undefined ? [] : [[command.trim(), path] as const];
    }),
);

/** What kubectl says of a command. A kustomization is looked up from the folder that its page means. */
async function complaintOf(command: string, path: string): Promise<string> {
  const words = [...command.matchAll(/'([^']*)'|"([^"]*)"|(\S+)/g)].map(([, a, b, c]) => a ?? b ?? c!);
  const cwd = path.startsWith('examples/') ? join(ROOT, 'examples/kubernetes') : ROOT;
  const after = words.includes('--') ? words.indexOf('--') : words.length;
  const all = [...words.slice(1, after), ...NOWHERE, ...words.slice(after)];
  try {
    await promisify(execFile)('kubectl', all, { cwd, env: environment });
    return 'it succeeds';
  } catch (error) {
    return (error as { stderr: string }).stderr;
  }
}

describe.skipIf(KUBECTL === undefined)(
  `kubectl (${KUBECTL ?? 'there is none here; Debian: kubernetes-client'})`,
  () => {
    it('finds the commands', () => {
      expect(commands.size).toBeGreaterThan(20);
    });

    it.each([...commands])('understands %s, of %s', async (command, path) => {
      expect(await complaintOf(command, path)).toMatch(/connection refused|was refused/);
    });

    it.each([
      ['kubectl get pods --al-namespaces', /unknown flag/],
      ['kubectl rolout restart deploy/orders', /unknown command/],
      ['kubectl scale deploy/orders', /replicas/],
    ])('a wrong one is detected: %s', async (command, fault) => {
      const complaint = await complaintOf(command, 'README.md');
      expect(complaint).toMatch(fault);
      expect(complaint).not.toMatch(/refused/);
    });

    it.each(['deploy/kubernetes', 'deploy/observability', 'examples/kubernetes/k8s'])('builds %s', async (folder) => {
      const kustomization = readFileSync(join(ROOT, folder, 'kustomization.yaml'), 'utf8');
      const { stdout } = await promisify(execFile)('kubectl', ['kustomize', folder], { cwd: ROOT, env: environment });
      const objects = parseAllDocuments(stdout).map((document) => document.toJS() as { kind: string });
      expect(objects.length).toBeGreaterThanOrEqual(kustomization.match(/\.yaml$/gm)?.length ?? 1);
      for (const { kind } of objects) expect(kind).toBeTypeOf('string');
    });
  },
);
