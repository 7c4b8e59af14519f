import {
  appendFileSync,
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { execFileSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type FileSourceOptions, fileSourceFactory, registerFile } from 'nestjs-grpc-lb/file';
import type { FleetBackend } from 'nestjs-grpc-lb/testing';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import type { Clock } from '../../../libs/grpc-lb/src/core/clock.js';
import type { EndpointSource } from '../../../libs/grpc-lb/src/core/endpoint-source.js';
import { addressToString } from '../../../libs/grpc-lb/src/core/endpoint.js';
import { parseTarget } from '../../../libs/grpc-lb/src/discovery/index.js';
import { systemClock } from '../../../libs/grpc-lb/src/grpc/context/system-clock.js';
import { BalancedClient } from '../../support/echo/balanced-client.js';
import { startBackends } from '../../support/echo/backends.js';
import { FakeClock } from '../../support/time/fake-clock.js';
import { expectNoLeaks } from '../../support/run/leaks.js';
import { eventually } from '../../support/time/patience.js';
import { SteadyLoad } from '../../support/echo/steady-load.js';
import { Stopwatch } from '../../support/time/stopwatch.js';

expectNoLeaks();

let directory: string;
let path: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'endpoints-'));
  path = join(directory, 'orders.yaml');
  return () => rmSync(directory, { recursive: true, force: true });
});

/** Polling would hide a broken watch, so its interval is longer than the test. */
const NO_POLL: FileSourceOptions = { pollInterval: 86_400_000 };

/** A source on the real file system, and what it reports. */
class Watcher {
  readonly told: string[] = [];
  readonly source: EndpointSource;
  #check = (): void => {};

  constructor(options: FileSourceOptions = NO_POLL, file = path, clock: Clock = systemClock) {
    const context = { clock, random: Math.random };
    const source = (this.source = fileSourceFactory(options)(parseTarget(`file://${encodeURI(file)}`), context));
    onTestFinished(() => source.stop());
    const tell = (text: string): void => {
      this.told.push(text);
      this.#check();
    };
    source.start({
      onEndpoints: (endpoints) => tell(endpoints.map(({ address }) => addressToString(address)).join(' ')),
      onError: (error) => tell(`error: ${error.message}`),
      onWarning: (warning) => tell(`warning: ${warning}`),
    });
  }

  /** Resolves when the last report contains the text. */
  async tells(text: string): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#check = () => {
        if (this.told.at(-1)?.includes(text)) resolve();
      };
      this.#check();
    });
  }
}

/** The recommended way: a complete new file, renamed to the old name. */
function replace(text: string, file = path): void {
  writeFileSync(`${file}.new`, text);
  renameSync(`${file}.new`, file);
}

describe('every way to change a file is seen:', () => {
  const ways: Record<string, (text: string) => void> = {
    'a rename': replace,
    'a write in place': (text) => writeFileSync(path, text),
    'truncated, then filled': (text) => {
      truncateSync(path);
      for (const line of text.split(/(?<=\n)/)) appendFileSync(path, line);
    },
    'deleted, then written': (text) => {
      unlinkSync(path);
      writeFileSync(path, text);
    },
    'an editor that keeps a backup': (text) => {
      renameSync(path, `${path}~`);
      writeFileSync(path, text);
      unlinkSync(`${path}~`);
    },
    'a copy that keeps the date and size of the old one': (text) => {
      const date = new Date(2020, 1, 1);
      utimesSync(path, date, date);
      writeFileSync(`${path}.new`, text);
      copyFileSync(`${path}.new`, path);
      utimesSync(path, date, date);
    },
    'a shell': (text) => void execFileSync('sh', ['-c', 'printf %s "$0" > "$1"', text, path]),
    'sed -i': (text) => void execFileSync('sed', ['-i', `s/.*/${text.trim()}/`, path]),
    'a directory that is replaced': (text) => {
      mkdirSync(`${directory}.new`);
      writeFileSync(join(`${directory}.new`, 'orders.yaml'), text);
      renameSync(directory, `${directory}.old`);
      renameSync(`${directory}.new`, directory);
      rmSync(`${directory}.old`, { recursive: true });
    },
    'a directory that is deleted and made again': (text) => {
      rmSync(directory, { recursive: true });
      mkdirSync(directory);
      writeFileSync(path, text);
    },
  };

  test.each(Object.keys(ways))('%s', async (way) => {
    writeFileSync(path, '- a:1\n');
    const watcher = new Watcher();
    await watcher.tells('a:1');
    for (const name of ['b', 'c', 'd']) {
      ways[way]!(`- ${name}:1\n`);
      await watcher.tells(`${name}:1`);
    }
    expect(watcher.told).toEqual(['a:1', 'b:1', 'c:1', 'd:1']);
  });

  /** A volume as the kubelet makes it: the file is a link through `..data`, and that is what moves. */
  function configMap(text: string, version: number): void {
    const [real, data] = [`..2026_${version}`, join(directory, '..data')];
    mkdirSync(join(directory, real));
    writeFileSync(join(directory, real, 'orders.yaml'), text);
    symlinkSync(real, `${data}_tmp`);
    renameSync(`${data}_tmp`, data);
    if (version === 0) symlinkSync('..data/orders.yaml', path);
    else rmSync(join(directory, `..2026_${version - 1}`), { recursive: true });
  }

  test('a ConfigMap of Kubernetes', async () => {
    configMap('- a:1\n', 0);
    const watcher = new Watcher();
    await watcher.tells('a:1');
    for (const [i, name] of ['b', 'c', 'd'].entries()) {
      configMap(`- ${name}:1\n`, i + 1);
      await watcher.tells(`${name}:1`);
    }
    expect(watcher.told).toEqual(['a:1', 'b:1', 'c:1', 'd:1']);
  });

  test('links anywhere on the way, and what they lead to', async () => {
    for (const release of ['one', 'two']) {
      mkdirSync(join(directory, 'releases', release), { recursive: true });
      writeFileSync(join(directory, 'releases', release, 'orders.yaml'), `- ${release}:1\n`);
    }
    symlinkSync('releases/one', join(directory, 'current'));
    const watcher = new Watcher(NO_POLL, join(directory, 'current', 'orders.yaml'));
    await watcher.tells('one:1');
    replace('- three:1\n', join(directory, 'releases', 'one', 'orders.yaml'));
    await watcher.tells('three:1');
    symlinkSync('releases/two', join(directory, 'current.new'));
    renameSync(join(directory, 'current.new'), join(directory, 'current'));
    await watcher.tells('two:1');
    replace('- four:1\n', join(directory, 'releases', 'two', 'orders.yaml'));
    await watcher.tells('four:1');
  });

  test('a file that is created later, after its directories', async () => {
    const late = join(directory, 'a', 'b', 'orders.yaml');
    const watcher = new Watcher(NO_POLL, late);
    await watcher.tells('error: ENOENT');
    mkdirSync(dirname(late), { recursive: true });
    writeFileSync(late, '- a:1\n');
    await watcher.tells('a:1');
  });

  test('a file that is removed, and comes back unchanged', async () => {
    writeFileSync(path, '- a:1\n');
    const watcher = new Watcher();
    await watcher.tells('a:1');
    renameSync(path, `${path}.old`);
    await watcher.tells('error: ENOENT');
    renameSync(`${path}.old`, path);
    await watcher.tells('a:1');
  });

  test('a replaced parent directory is seen by the next poll, and watched from then on', async () => {
    const file = join(directory, 'a', 'b', 'orders.yaml');
    for (const name of ['a', 'new']) mkdirSync(join(directory, name, 'b'), { recursive: true });
    writeFileSync(file, '- a:1\n');
    writeFileSync(join(directory, 'new', 'b', 'orders.yaml'), '- b:1\n');
    const watcher = new Watcher(NO_POLL, file);
    await watcher.tells('a:1');
    renameSync(join(directory, 'a'), join(directory, 'old'));
    renameSync(join(directory, 'new'), join(directory, 'a'));
    watcher.source.refresh();
    await watcher.tells('b:1');
    replace('- c:1\n', file);
    await watcher.tells('c:1');
  });

  test('by polling, if nothing can be watched', async () => {
    writeFileSync(path, '- a:1\n');
    const watcher = new Watcher({ pollInterval: 100 });
    await watcher.tells('a:1');
    // A hard link to a file in a directory that is not watched: writes there cause no event here.
    const elsewhere = mkdtempSync(join(tmpdir(), 'elsewhere-'));
    onTestFinished(() => rmSync(elsewhere, { recursive: true }));
    execFileSync('ln', [path, join(elsewhere, 'other')]);
    await watcher.tells('a:1');
    writeFileSync(join(elsewhere, 'other'), '- b:1\n');
    await watcher.tells('b:1');
  });
});

test('a rename is reported within 100 ms', async () => {
  writeFileSync(path, '- a:1\n');
  const watcher = new Watcher();
  await watcher.tells('a:1');
  const stopwatch = new Stopwatch();
  const took: number[] = [];
  for (let i = 2; i < 13; i++) {
    const told = async (): Promise<void> => {
      replace(`- a:${i}\n`);
      await watcher.tells(`a:${i}`);
    };
    took.push(await stopwatch.time(told));
  }
  // The median, as the threads that read files may have to wait for a CPU.
  expect(took.toSorted((a, b) => a - b)[5]).toBeLessThan(100);
});

test('a file that is written slowly is not used before it is complete', async () => {
  writeFileSync(path, '- a:1\n');
  const clock = new FakeClock();
  const watcher = new Watcher({ ...NO_POLL, settleTime: 200 }, path, clock);
  const tells = (text: string): Promise<void> =>
    eventually(() => {
      clock.advance(50);
      return watcher.told.at(-1)?.includes(text) ?? false;
    });
  await tells('a:1');
  truncateSync(path);
  for (let i = 0; i < 20; i++) {
    appendFileSync(path, `- b:${i + 1}\n`);
    clock.advance(50);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  await tells('b:20');
  expect(watcher.told).toHaveLength(2);
});

describe('an unreadable file is reported:', () => {
  test.each<[string, () => void, string]>([
    ['a directory', () => mkdirSync(path), 'is not a regular file'],
    ['a pipe', () => void execFileSync('mkfifo', [path]), 'is not a regular file'],
    ['a link in a circle', () => symlinkSync(path, path), 'ELOOP'],
    ['a directory that is a file', () => (path = join(writeAt(join(directory, 'x')), 'y')), 'ENOTDIR'],
    ['a large file', () => writeFileSync(path, ' '.repeat(40_001)), 'is larger than 40000 bytes; write JSON into a'],
    ['a large JSON file', () => writeFileSync(asJson(), ' '.repeat(1024 * 1024 + 1)), 'is larger than 1048576 bytes'],
    ['bytes that are not text', () => writeFileSync(path, Buffer.from([0x5b, 0xff, 0x5d])), 'is not UTF-8'],
    ['half of a file', () => writeFileSync(path, 'endpoints:\n'), 'endpoints is null'],
  ])('%s', async (_, make, error) => {
    make();
    const watcher = new Watcher(NO_POLL, path);
    await watcher.tells(error);
    expect(watcher.told[0]).toContain(path);
  });

  function asJson(): string {
    return (path = join(directory, 'endpoints.json'));
  }

  function writeAt(file: string): string {
    writeFileSync(file, '');
    return file;
  }

  test.skipIf(process.getuid?.() === 0)('a file of another user, until it is readable', async () => {
    writeFileSync(path, '- a:1\n');
    chmodSync(path, 0);
    const watcher = new Watcher();
    await watcher.tells('EACCES');
    chmodSync(path, 0o600);
    await watcher.tells('a:1');
  });

  test('JSON is recognized by the file name', async () => {
    const json = join(directory, 'my orders.json');
    writeFileSync(json, '{"endpoints": ["a:1",]}');
    const watcher = new Watcher(NO_POLL, json);
    await watcher.tells('is not JSON');
    replace('\ufeff{"endpoints": ["a:1"]}', json);
    await watcher.tells('a:1');
  });
});

test('a process that watches a file may end', () => {
  // The source keeps the process alive with no watch and no timer.
  writeFileSync(path, '- a:1\n');
  const watcher = new Watcher({ pollInterval: 100 });
  expect(process.getActiveResourcesInfo()).not.toContain('FSEventWrap');
  expect(watcher.told).toEqual([]);
});

describe('calls', () => {
  const listOf = (list: readonly FleetBackend[]): string =>
    JSON.stringify({ endpoints: list.map(({ address }) => ({ address, zone: 'a' })) });

  function connect(): BalancedClient {
    registerFile();
    const client = new BalancedClient({ target: `file://${path}` });
    onTestFinished(() => client.close());
    client.balanced.connect();
    return client;
  }

  const has = (client: BalancedClient, list: readonly FleetBackend[]) => (): boolean => {
    const { endpoints } = client.snapshot;
    return endpoints.length === list.length && list.every(({ address }) => client.states[address] === 'ready');
  };

  test('are not lost by any change: scale up, scale down, replace all, a bad file, a file that goes and comes', async () => {
    const all = await startBackends(6);
    const [first, second] = [all.slice(0, 3), all.slice(3)];
    replace(listOf(first.slice(0, 2)));
    const client = connect();
    await client.until(has(client, first.slice(0, 2)));
    const load = new SteadyLoad(() => client.say(), 300);
    for (const next of [first, first.slice(1), second, all]) {
      replace(listOf(next));
      await client.until(has(client, next));
      await load.run(60);
    }
    replace('{ "endpoints": [');
    await client.until(() => client.snapshot.source.state === 'stale');
    await load.run(60);
    expect(client.snapshot.source).toMatchObject({ kind: 'file', endpoints: 6 });
    replace(listOf(second));
    await client.until(has(client, second));
    unlinkSync(path);
    // Of failures that follow on each other so soon there is one event.
    await load.until(() => client.snapshot.source.state !== 'ok');
    await load.run(60);
    writeFileSync(path, listOf(first));
    await client.until(has(client, first));
    await load.run(60);
    await load.stop();
    expect(load.failures).toEqual([]);
    expect(client.snapshot.source.state).toBe('ok');
    expect(readFileSync(path, 'utf8')).toBe(listOf(first));
  });

  test('a change reaches the balancer within 100 ms', async () => {
    const [a, b] = (await startBackends(2)) as [FleetBackend, FleetBackend];
    replace(listOf([a]));
    const client = connect();
    await client.until(has(client, [a]));
    const stopwatch = new Stopwatch();
    const took: number[] = [];
    for (let i = 0; i < 7; i++) {
      const next = i % 2 === 0 ? [a, b] : [a];
      const count = client.events.length;
      const updated = (): Promise<void> => {
        replace(listOf(next));
        return client.until(() => client.events.slice(count).some(({ type }) => type === 'discovery_updated'));
      };
      took.push(await stopwatch.time(updated));
      await client.until(has(client, next));
    }
    expect(took.toSorted((x, y) => x - y)[3]).toBeLessThan(100);
  });

  test('of a file that is missing at the start fail with the reason, and succeed when it comes', async () => {
    const list = await startBackends(1);
    const client = connect();
    await client.until(() => client.snapshot.source.error !== null);
    await expect(client.say()).rejects.toThrow(/UNAVAILABLE.*ENOENT/);
    replace(listOf(list));
    await client.until(has(client, list));
    await client.say();
  });

  test('a bad entry causes a warning, and the others get calls', async () => {
    const [server] = (await startBackends(1)) as [FleetBackend];
    replace(`endpoints:\n  - ${server.address}\n  - 127.0.0.1:99999\n`);
    const client = connect();
    await client.until(has(client, [server]));
    await client.until(() => client.events.some(({ type }) => type === 'discovery_warning'));
    expect(client.events).toContainEqual(
      expect.objectContaining({ type: 'discovery_warning', warning: expect.stringContaining('entry 2 (line 3)') }),
    );
  });
});
