import { expect, onTestFinished, test } from 'vitest';
import { type DoctorOptions, type DoctorReport, runDoctor } from '../../../libs/grpc-lb/src/doctor/index.js';
import { expectNoLeaks } from '../../support/run/leaks.js';
import { PythonServer } from './python-process.js';

expectNoLeaks();

async function examine(options: Partial<DoctorOptions> = {}, prepare?: (server: PythonServer) => void) {
  const server = await new PythonServer().start();
  onTestFinished(() => server.process.kill());
  prepare?.(server);
  return runDoctor({ target: `static:///${server.address}`, env: {}, ...options });
}

const often = { client: { channelOptions: { 'grpc.keepalive_time_ms': 20_000 } } };
const outcomes = ({ checks }: DoctorReport): Record<string, string> =>
  Object.fromEntries(checks.map(({ name, status }) => [name, status]));

test('nothing is wrong with a C-core server, which sends no date and has no reflection', async () => {
  const report = await examine({ services: ['echo.v1.Echo'] });
  expect(report.findings).toMatchObject([{ code: 'no-reflection', severity: 'note' }]);
  expect(outcomes(report)).toMatchObject({
    health: 'ok',
    keepalive: 'ok',
    'stream-limit': 'ok',
    services: 'findings',
    clock: 'not-checked',
  });
});

test('keepalive every 20 s clashes with what it enforces by default', async () => {
  expect((await examine(often)).findings).toMatchObject([
    { code: 'keepalive-clash', certainty: 'likely', evidence: [expect.stringContaining('too_many_pings')] },
  ]);
});

test('its health is read', async () => {
  const { findings } = await examine({}, (server) => server.setHealth('NOT_SERVING'));
  expect(findings).toMatchObject([{ code: 'not-serving' }]);
});
