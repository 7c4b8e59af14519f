import { firstOutcome } from '../outcome.js';
import type { Http2Peer } from '../peer/session.js';
import type { Connected, Site } from '../site.js';

const PINGS_MS = 600;
/** gRFC A8: servers count a PING that comes sooner than 5 minutes after another while they send nothing. */
const ENFORCED_MS = 300_000;
/** What a client of this package sends in a silent period. */
const USUAL_PINGS = 2;
/** One that is free, two strikes that are allowed, and those beyond. */
const MANY_PINGS = 5;
const ENHANCE_YOUR_CALM = 11;

/** Sends PINGs as the client would at worst, and sees whether the server ends the connection. The last of all checks. */
export async function examineKeepalive({ exam, budget, client }: Site, { peer, address }: Connected): Promise<void> {
  const time = client.channelOptions['grpc.keepalive_time_ms'] ?? Infinity;
  const many = time < ENFORCED_MS;
  const timeoutMs = budget.step(PINGS_MS);
  const answered = await sendPings(peer, many ? MANY_PINGS : USUAL_PINGS, timeoutMs);
  const { goaway } = peer;
  const setting = `grpc.keepalive_time_ms is ${time}`;
  if (goaway?.code === ENHANCE_YOUR_CALM || /too_many_pings/.test(goaway?.text ?? '')) {
    const pings = many ? `${MANY_PINGS} PINGs at once` : `${USUAL_PINGS} PINGs`;
    const evidence = `${address} answers ${pings} with GOAWAY ${goaway!.text || 'ENHANCE_YOUR_CALM'}; ${setting}`;
    // Many at once show that the server enforces a minimum. Five minutes is usual; its own takes as long to measure.
    const usual = `; the minimum of most servers is ${ENFORCED_MS}`;
    if (many) exam.find('keepalive', 'keepalive-clash', { address, evidence: evidence + usual, certainty: 'likely' });
    else exam.find('keepalive', 'keepalive-clash', { address, evidence, severity: 'error' });
  } else if (answered === 'timeout') {
    exam.find('keepalive', 'ping-unanswered', { address, evidence: `${address}: no answer within ${timeoutMs} ms` });
  } else if (answered === 'closed') {
    exam.skip('keepalive', `${address}: the connection ended for another reason`);
  } else {
    const patient = many ? `the server tolerates ${MANY_PINGS} PINGs at once` : 'PINGs are answered';
    exam.pass('keepalive', `${patient}; ${setting}`);
  }
}

function sendPings({ session }: Http2Peer, count: number, timeoutMs: number): Promise<'all' | 'timeout' | 'closed'> {
  return firstOutcome<'all' | 'timeout' | 'closed'>(
    timeoutMs,
    () => 'timeout',
    (settle) => {
      if (session.destroyed) return settle('closed');
      let open = count;
      session.once('close', () => settle('closed'));
      session.once('goaway', () => setImmediate(() => settle('closed')));
      for (let i = 0; i < count; i++)
        session.ping((error) => !error && --open === 0 && setImmediate(() => settle('all')));
    },
  );
}
