import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import type { ClientSnapshot } from 'nestjs-grpc-lb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePort } from '../../libs/grpc-lb/src/testing/free-port.js';
import { Child } from '../../apps/demo-client/src/runner/child-process.js';
import { readPage } from '../docs/pages.js';
import { recipeFiles } from '../support/testing/recipes.js';
import { PEERS_OF_NEST_11 } from './install.js';
import { addToFile, addToJestKey, ENTRIES, jestSettings, KUBERNETES, loadTest } from './jest-entries.js';
import { mustRun, run } from './run.js';
import { copyStarter, filesOfPage, GUIDE, installLine, makeStarter, STARTERS, toolchains } from './starter.js';

/**
 * What a newcomer does: Nest's starter, the install line, the files of the README and of the guide as they are, and each
 * compiler with the command that the guide gives.
 */
describe.each(STARTERS)('the first steps with Nest $major', (starter) => {
  const backends: string[] = [];
  const processes: Child[] = [];
  let ports = new Map<string, number>();
  let home = '';
  let url = '';

  /** Resolves when Nest says that it has started. */
  async function start(command: string, cwd: string, env: NodeJS.ProcessEnv = {}): Promise<Child> {
    const child = new Child(command.split(' '), { cwd, env, quiet: true, name: command });
    processes.push(child);
    await child.nextLine(/successfully started/);
    return child;
  }

  beforeAll(async () => {
    home = await makeStarter(starter);
    const names = ['50051', '50052', '50053', '3000'];
    const free = await Promise.all(names.map(() => freePort()));
    ports = new Map(names.map((name, i) => [name, free[i]!]));
    url = `http://127.0.0.1:${free[3]}`;
    const servers = copyStarter(home, 'servers', starter, filesOfPage(GUIDE, ports));
    await mustRun('npx', ['nest', 'build'], servers, 240_000);
    for (const port of free.slice(0, 3)) {
      backends.push(`127.0.0.1:${port}`);
      await start('node dist/server.js', servers, { PORT: String(port) });
    }
  }, 900_000);

  afterAll(() => Promise.all(processes.map((each) => each.kill())));

  it('the install line of the README and of the guide resolves in the starter as it is', async () => {
    const app = join(home, '../as-it-is');
    cpSync(home, app, { recursive: true, filter: (source) => !/\/(node_modules|package-lock\.json)$/.test(source) });
    const manifest = JSON.parse(readFileSync(join(app, 'package.json'), 'utf8')) as { dependencies: object };
    const ofStarter = Object.entries(manifest.dependencies).filter(([name]) => !/grpc|microservices/.test(name));
    writeFileSync(
      join(app, 'package.json'),
      JSON.stringify({ ...manifest, dependencies: Object.fromEntries(ofStarter), devDependencies: {} }),
    );
    await mustRun('sh', ['-c', `${installLine(starter)} --package-lock-only --no-audit --no-fund`], app, 120_000);
    const line = installLine(starter).replace(/\S+\.tgz/, 'nestjs-grpc-lb');
    const lines = readPage('README.md').code.flatMap(({ text }) => text.split('\n'));
    expect(lines.map((each) => each.replace(/\s+#.*$/, ''))).toContain(line);
  });

  it.each(toolchains(starter))(
    'the guide, built with $name: calls reach all backends',
    async ({ name, build, run: go }) => {
      const app = copyStarter(home, name, starter, filesOfPage(GUIDE, ports));
      await mustRun('sh', ['-c', build], app, 240_000);
      const main = await start(go, app);
      const ready = async (): Promise<number> => {
        const { snapshot } = (await (await fetch(`${url}/balancing`)).json()) as { snapshot: ClientSnapshot };
        return snapshot.endpoints.filter(({ state }) => state === 'ready').length;
      };
      await expect.poll(ready, { timeout: 60_000 }).toBe(3);
      const served = new Set<string>();
      // Of 60 sequential calls none goes to one of three backends with a probability below 10^-9.
      for (let i = 0; i < 60; i++) {
        const order = (await (await fetch(`${url}/orders/${i}`)).json()) as { servedBy: string };
        served.add(order.servedBy);
      }
      await main.kill();
      expect([...served].toSorted()).toEqual(backends.toSorted());
    },
  );

  it('the README, built with tsc: calls reach all backends', async () => {
    const files = filesOfPage('README.md');
    const target = `static:///${backends.join(',')}`;
    const client = files.get('src/orders.client.ts')!;
    files.set('src/orders.client.ts', client.replace('dns:///orders:50051', target));
    files.set('src/main.ts', MAIN);
    const app = copyStarter(home, 'readme', starter, files);
    await mustRun('npx', ['nest', 'build'], app, 240_000);
    const ran = await run(process.execPath, ['dist/main.js'], app, 120_000);
    expect(ran.code, ran.output).toBe(0);
    expect(JSON.parse(ran.stdout.trim().split('\n').at(-1)!)).toEqual(backends.toSorted());
  });

  it('the test with a mocked client runs as the page about testing says, in the runner of the starter', async () => {
    const files = recipeFiles(starter.isEsm ? 'vitest' : '@jest/globals');
    const [spec, runner] = starter.isEsm
      ? ['test/checkout.spec.ts', 'npx vitest run test/checkout.spec.ts']
      : // Below src, as the page says.
        ['src/checkout.spec.ts', 'npx jest src/checkout.spec.ts'];
    const kept = new Map([...files].filter(([name]) => name.startsWith('src/') || name === 'orders.proto'));
    kept.set(spec, files.get('test/checkout.spec.ts')!.replaceAll('../src/', starter.isEsm ? '../src/' : './'));
    const app = copyStarter(home, 'tested', starter, kept);
    if (!starter.isEsm) addToJestKey(app, jestSettings('transformIgnorePatterns'));
    const ran = await run('sh', ['-c', runner], app, 240_000);
    expect(ran.code, ran.output).toBe(0);
    expect(stripVTControlCharacters(ran.output)).toMatch(/Tests:?\s+1 passed/);
  });

  it('the end-to-end test of the starter passes as the guide says', async () => {
    const app = copyStarter(home, 'e2e', starter, filesOfPage(GUIDE));
    const spec = join(app, 'test/app.e2e-spec.ts');
    const text = readFileSync(spec, 'utf8');
    const edited = text.replace(".get('/')", ".get('/balancing')").replace(/\s+\.expect\('Hello World!'\)/, '');
    expect(edited.length).toBeLessThan(text.length);
    writeFileSync(spec, edited);
    if (!starter.isEsm) addToFile(join(app, 'test/jest-e2e.json'), jestSettings('transformIgnorePatterns'));
    // The first one compiles the package for Jest.
    const ran = await run('npm', ['run', 'test:e2e', '--', '--testTimeout', '60000'], app, 240_000);
    expect(ran.code, ran.output).toBe(0);
    expect(stripVTControlCharacters(ran.output)).toMatch(/Tests:?\s+1 passed/);
  });

  it.runIf(starter.major === 11)(
    'each entry of the package loads in the Jest of the starter',
    async () => {
      const peers = Object.entries(PEERS_OF_NEST_11).map(([name, range]) => `${name}@${range}`);
      await mustRun('npm', ['install', '--no-save', '--no-audit', '--no-fund', ...peers], home, 280_000);
      const spec = 'src/entries.spec.ts';
      for (const [name, entries, settings] of [
        ['loaded', ENTRIES.filter((entry) => entry !== KUBERNETES), jestSettings('transformIgnorePatterns')],
        ['kubernetes', [KUBERNETES], jestSettings('transformIgnorePatterns', '@kubernetes/client-node')],
      ] as const) {
        const app = copyStarter(
          home,
          name,
          starter,
          new Map([
            ['orders.proto', filesOfPage(GUIDE).get('orders.proto')!],
            [spec, loadTest(entries)],
          ]),
        );
        addToJestKey(app, settings);
        const ran = await run('npx', ['jest', spec, '--testTimeout', '60000'], app, 280_000);
        expect(ran.code, ran.output).toBe(0);
      }
    },
    900_000,
  );
});

/** The README shows no controller. */
const MAIN = `
import { NestFactory } from '@nestjs/core';
import { firstValueFrom } from 'rxjs';
import { AppModule } from './app.module.js';
import { CheckoutService } from './checkout.service.js';

async function bootstrap(): Promise<void> {
  const app = await NestFactory.createApplicationContext(AppModule);
  const served = new Set<string>();
  // Until all are connected, calls go to those that are.
  while (served.size < 3) served.add((await firstValueFrom(app.get(CheckoutService).find('1'))).servedBy);
  await app.close();
  console.log(JSON.stringify([...served].sort()));
}

void bootstrap();
`;
