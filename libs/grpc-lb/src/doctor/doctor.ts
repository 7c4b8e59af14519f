import { type Endpoint, addressToString } from '../core/endpoint.js';
import { printable } from '../core/printable.js';
import { withoutSecrets } from '../core/target-secrets.js';
import { Budget } from './budget.js';
import { examineClient } from './checks/client.js';
import { connect } from './checks/connect.js';
import { examineHealth } from './checks/health.js';
import { examineTarget } from './checks/target.js';
import { Examination } from './examination.js';
import { type DoctorOptions, effectiveDoctorOptions } from './options.js';
import type { DoctorReport } from './report.js';
import type { Connected, Site } from './site.js';
import { namesOf } from './target/names.js';

/**
 * Examines a target as a client would use it, and this process, and reports what is wrong with evidence and remedy. It
 * opens its own connections, calls only health and reflection, and leaves nothing open. It ends within
 * `options.timeout`.
 *
 * @throws GrpcLbOptionsError that lists all faults of the doctor's own options.
 * @example
 *   const { healthy, findings } = await runDoctor({ target: 'dns:///orders:50051' });
 */
export async function runDoctor(options: DoctorOptions): Promise<DoctorReport> {
  const effective = effectiveDoctorOptions(options);
  const startedAt = new Date();
  const began = performance.now();
  const exam = new Examination();
  const budget = new Budget(effective.timeout);
  const client = examineClient(exam, effective);
  const site: Site = { exam, budget, options: effective, client, ...namesOf(exam, effective, client) };

  const endpoints = await examineTarget(site);
  const chosen = endpoints.slice(0, effective.maxEndpoints);
  await Promise.all(chosen.map((endpoint) => examineEndpoint(site, endpoint)));
  skipRest(site, endpoints);

  const { findings, checks } = exam;
  return {
    version: 1,
    target: printable(withoutSecrets(effective.target)),
    healthy: findings.every(({ severity }) => severity === 'note'),
    startedAt: startedAt.toISOString(),
    durationMs: Math.round(performance.now() - began),
    endpoints: endpoints.length,
    examined: chosen.map(({ address }) => addressToString(address)),
    findings,
    checks,
  };
}

async function examineEndpoint(site: Site, { address }: Endpoint): Promise<void> {
  const connected = await connect(site, address);
  if (!connected) return;
  try {
    await examineServer(site, connected);
  } finally {
    connected.peer.close();
  }
}

async function examineServer(site: Site, connected: Connected): Promise<void> {
  await examineHealth(site, connected);
}

/** Says of every check that found nothing to examine why. */
function skipRest({ exam, options }: Site, endpoints: readonly Endpoint[]): void {
  const why = endpoints.length === 0 ? 'discovery found no endpoint' : 'no endpoint has a connection';
  exam.skip('connection', why);
  exam.skip('tls', options.tls ? why : 'the client uses none');
  exam.skip('health', why);
}
