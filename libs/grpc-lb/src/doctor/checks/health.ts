import { decodeStatus, encodeRequest, WATCH_PATH } from '../../grpc/endpoint/health-messages.js';
import type { DoctorCode } from '../codes.js';
import { callOnce, type RawAnswer } from '../peer/call-once.js';
import type { Connected, Site } from '../site.js';

const HEALTH_MS = 1000;
const MAX_BYTES = 1024;

const UNIMPLEMENTED = 12;
const NOT_FOUND = 5;
const REFUSED: ReadonlyMap<number, string> = new Map([
  [7, 'PERMISSION_DENIED'],
  [16, 'UNAUTHENTICATED'],
]);

/** Asks for the health of an endpoint, by the same call as a client. Returns the answer, whose headers tell the time. */
export async function examineHealth(site: Site, { peer, address }: Connected): Promise<RawAnswer> {
  const { exam, budget, authority, client, tls } = site;
  const { enabled, service, metadata } = client.loadBalancing.health;
  const timeoutMs = budget.step(HEALTH_MS);
  const answer = await callOnce(peer, {
    path: WATCH_PATH,
    scheme: tls ? 'https' : 'http',
    authority,
    request: encodeRequest(service),
    metadata,
    timeoutMs,
    maxBytes: MAX_BYTES,
  });
  const find = (code: DoctorCode, evidence: string): void =>
    exam.find('health', code, { address, evidence: `${address}: ${evidence}` });
  const what = service === '' ? 'the server' : `"${service}"`;
  if (answer.kind === 'timeout') find('silent-peer', `the health watch got no answer within ${timeoutMs} ms`);
  else if (answer.kind === 'lost') find('connection-closed', `the health watch ended: ${answer.text}`);
  else if (answer.kind === 'other') find('not-grpc', `the health watch got ${answer.text}`);
  else if (!enabled) exam.skip('health', 'health.enabled is false');
  else if (answer.kind === 'message') {
    const status = decodeStatus(answer.message);
    if (status === 'SERVING') exam.pass('health', `${what} is SERVING`);
    else if (status === 'SERVICE_UNKNOWN') find('health-service-unknown', `${what} is SERVICE_UNKNOWN`);
    else if (status === undefined) find('not-grpc', 'the answer of the health service is unreadable');
    else find('not-serving', `${what} is ${status}`);
  } else if (answer.code === UNIMPLEMENTED) find('no-health-service', `UNIMPLEMENTED ${answer.text}`.trimEnd());
  else if (answer.code === NOT_FOUND) find('health-service-unknown', `${what}: NOT_FOUND ${answer.text}`.trimEnd());
  else if (REFUSED.has(answer.code)) find('health-refused', `${REFUSED.get(answer.code)} ${answer.text}`.trimEnd());
  else find('not-serving', `the health watch ended with status ${answer.code} ${answer.text}`.trimEnd());
  return answer;
}
