import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { startGrpcServer } from '../../../../../test/support/doctor/servers.js';
import { expectNoLeaks } from '../../../../../test/support/run/leaks.js';
import type { DoctorReport } from '../report.js';
import { parseCommand } from './arguments.js';
import { freePort } from '../../testing/index.js';
import { runCommand } from './run.js';

expectNoLeaks();

async function run(...argv: string[]) {
  let [out, err] = ['', ''];
  const status = await runCommand(argv, { out: (text) => (out += text), err: (text) => (err += text) });
  return { status, out, err };
}

describe('exit status', () => {
  test('0 if the target is healthy', async () => {
    const { status, out, err } = await run('doctor', `static:///127.0.0.1:${await startGrpcServer()}`, '--quick');
    expect({ status, err }).toEqual({ status: 0, err: '' });
    expect(out).toMatch(/1 of 1 endpoints examined in \d+ ms\n\nok +options/);
    expect(out).toMatch(/\n\nHealthy\.\n$/);
  });

  test('1 if there is a finding, which is printed with its evidence and its remedy', async () => {
    const port = await freePort();
    const { status, out } = await run('doctor', `static:///127.0.0.1:${port}`);
    expect(status).toBe(1);
    expect((await run('doctor', `static:///127.0.0.1:${port}`, '--quick')).status).toBe(1);
    expect(out).toContain(
      `\n\nerror: port-closed\n  127.0.0.1:${port}: connect ECONNREFUSED 127.0.0.1:${port}\n  Remedy: Check that the server runs`,
    );
    expect(out).toMatch(/\n\n1 error, 0 warnings\.\n$/);
  });

  test('of a warning is 1, or 0 with --fail-on error, as with --quick', async () => {
    const target = `static:///127.0.0.1:${await startGrpcServer({ health: null })}`;
    const statuses = await Promise.all([
      run('doctor', target),
      run('doctor', target, '--fail-on', 'error'),
      run('doctor', target, '--quick'),
      run('doctor', target, '--quick', '--fail-on', 'warning'),
    ]);
    expect(statuses.map(({ status }) => status)).toEqual([1, 0, 0, 1]);
  });

  test.for<[string[], string]>([
    [['doctor'], 'the target is missing'],
    [['doctr', 'orders:1'], 'the command is "doctr"; the only one is doctor'],
    [['doctor', 'orders:1', 'orders:2'], '"orders:2" follows the target'],
    [['doctor', 'orders:1', '--tsl'], '--tsl is not an option; did you mean "--tls"?'],
    [['doctor', 'orders:1', '--timeout', '5s'], '--timeout is "5s"; use a whole number'],
    [['doctor', 'orders:1', '--timeout', '5'], 'timeout is 5; use a whole number from 500 to 60000 (milliseconds)'],
    [['doctor', 'orders:1', '--fail-on', 'note'], '--fail-on is "note"; use error or warning'],
    [['doctor', 'orders:1', '--ca', '/no/file'], '--ca cannot be read: ENOENT'],
    [['doctor', 'orders:1', '--options', '{'], '--options is not JSON'],
    [['doctor', 'orders:1', '--timeout'], 'argument missing'],
  ])('2 for %j', async ([argv, message]) => {
    const { status, out, err } = await run(...argv);
    expect({ status, out }).toEqual({ status: 2, out: '' });
    expect(err).toContain(message);
  });

  test('0 for help and version', async () => {
    expect(await run('--help')).toMatchObject({ status: 0, out: expect.stringMatching(/^Usage: nestjs-grpc-lb/) });
    expect(await run()).toMatchObject({ status: 0, out: expect.stringMatching(/^Usage: nestjs-grpc-lb/) });
    expect(await run('--version')).toMatchObject({ status: 0, out: expect.stringMatching(/^\d+\.\d+\.\d+\n$/) });
  });
});

test('--json prints the report', async () => {
  const { status, out } = await run('doctor', `static:///127.0.0.1:${await startGrpcServer()}`, '--json', '--quick');
  const report = JSON.parse(out) as DoctorReport;
  expect(status).toBe(0);
  expect(report).toMatchObject({ version: 1, healthy: true, findings: [], endpoints: 1 });
});

test('every option reaches the doctor', () => {
  const folder = mkdtempSync(join(tmpdir(), 'doctor-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = (name: string, text: string): string => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };
  const argv =
    `doctor dns:///orders:1 --tls --ca ${file('ca', 'A')} --cert ${file('cert', 'B')} --key ${file('key', 'C')} ` +
    '--server-name orders.shop --proto a.proto --proto b.proto --include protos --service orders.v1.Orders ' +
    `--method orders.v1.Orders/Find --options ${file('options', '{"loadBalancing":{"policy":"random"}}')} ` +
    '--concurrency 500 --quick --timeout 900 --max-endpoints 3 --expiry-days 30 --max-clock-skew 2';
  expect(parseCommand(argv.split(' '))).toEqual({
    kind: 'doctor',
    json: false,
    failOn: 'error',
    options: {
      target: 'dns:///orders:1',
      tls: { ca: Buffer.from('A'), cert: Buffer.from('B'), key: Buffer.from('C'), serverName: 'orders.shop' },
      proto: ['a.proto', 'b.proto'],
      includeDirs: ['protos'],
      services: ['orders.v1.Orders'],
      methods: ['orders.v1.Orders/Find'],
      client: { loadBalancing: { policy: 'random' } },
      concurrency: 500,
      quick: true,
      timeout: 900,
      maxEndpoints: 3,
      expiryDays: 30,
      maxClockSkew: 2,
    },
  });
});
