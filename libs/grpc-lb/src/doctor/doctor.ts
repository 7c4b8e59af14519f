import { type Endpoint, addressToString } from '../core/endpoint.js';
import { printable } from '../core/printable.js';
import { withoutSecrets } from '../core/target-secrets.js';
import { Budget } from './budget.js';
import { examineClient } from './checks/client.js';
import { examineClientCertificates } from './checks/client-certificates.js';
import { connect } from './checks/connect.js';
import { examineClock } from './checks/clock.js';
import { examineCopies } from './checks/copies.js';
import { examineHealth } from './checks/health.js';
import { examineKeepalive } from './checks/keepalive.js';
import { examineProxies } from './checks/proxies.js';
import { examineReachability } from './checks/reachability.js';
import { examineServices } from './checks/services.js';
import { examineSingleAddress } from './checks/single-address.js';
import { examineStreamLimits } from './checks/stream-limit.js';
import { type Wanted, wantedOf } from './checks/wanted.js';
import { examineTarget } from './checks/target.js';
import { Examination } from './examination.js';
import { type DoctorOptions, effectiveDoctorOptions } from './options.js';
import type { DoctorCheckName, DoctorReport } from './report.js';
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
  const found = await examineClientCertificates(exam, effective);
  const unusable = found === 'unusable';
  const names = namesOf(exam, effective, client, unusable ? undefined : found);
  const site: Site = { exam, budget, options: effective, client, ...names };

  const wanted = await wantedOf(exam, effective);

  // The search for copies takes time, and no connection.
  const copies = effective.quick ? undefined : examineCopies(exam, effective.cwd);
  const endpoints = await examineTarget(site);
  // A client without usable certificates would not be created: what its connections met would only mislead.
  const chosen = unusable ? [] : endpoints.slice(0, effective.maxEndpoints);
  const met = await Promise.all(chosen.map(({ address }) => connect(site, address)));
  const connected = met.filter((each) => each !== undefined && 'peer' in each);
  try {
    examineReachability(
      site,
      met.filter((each) => each !== undefined && 'code' in each),
      connected.map(({ endpoint }) => endpoint),
    );
    await Promise.all(connected.map((each) => examineServer(site, each, wanted)));
    if (!effective.quick) {
      examineStreamLimits(site, connected, endpoints.length);
      if (connected[0] && !budget.spent) await examineSingleAddress(site, endpoints, connected[0]);
    }
  } finally {
    for (const { peer } of connected) peer.close();
  }
  examineProxies(site, connected.length > 0);
  await copies;
  skipRest(site, endpoints, unusable);

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

async function examineServer(site: Site, connected: Connected, wanted: Wanted): Promise<void> {
  const { budget, options } = site;
  if (budget.spent) return;
  const answer = await examineHealth(site, connected);
  examineClock(site, connected.address, answer);
  // A server that does not answer one call would not answer others.
  if (answer.kind === 'timeout' || answer.kind === 'lost' || budget.spent) return;
  await examineServices(site, connected, wanted);
  // May end the connection.
  if (!options.quick && !budget.spent) await examineKeepalive(site, connected);
}

const AFTER_CONNECT: readonly DoctorCheckName[] = ['health', 'services', 'stream-limit', 'keepalive', 'clock'];

/** Says of every check that did not run why. */
function skipRest({ exam, options, budget, tls }: Site, endpoints: readonly Endpoint[], unusable: boolean): void {
  if (options.quick) {
    for (const name of ['stream-limit', 'single-address', 'keepalive', 'grpc-js-copies'] as const)
      exam.skip(name, 'not examined with quick');
  }
  const secured = tls !== undefined || unusable;
  exam.skip('client-certificates', 'the client uses no TLS');
  const alone = unusable
    ? 'its certificates keep the client from being created'
    : 'no endpoint has a connection that takes calls';
  const late = budget.spent ? 'the time was used up' : alone;
  const why = endpoints.length === 0 ? 'discovery found no endpoint' : late;
  exam.skip('connection', why);
  exam.skip('tls', secured ? why : 'the client uses none');
  exam.skip('single-address', why);
  for (const name of AFTER_CONNECT) exam.skip(name, why);
}
