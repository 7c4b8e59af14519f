import type { RawAnswer } from '../peer/call-once.js';
import type { Site } from '../site.js';

/** A date has whole seconds, and servers (Node is one) may keep its text for another. */
const DATE_MAY_LAG_MS = 2000;

/**
 * Compares the clock of a server with that of this host, by the `date` of its answer (RFC 9110, 6.6.1). Servers on Node
 * and most proxies send it; those in Go, Java and C++ do not.
 */
export function examineClock({ exam, options }: Site, address: string, answer: RawAnswer): void {
  const date = Date.parse(answer.headers?.date ?? '');
  if (Number.isNaN(date)) return exam.skip('clock', 'the servers send no date');
  const most = options.maxClockSkew * 1000;
  // The server wrote the date between the request and the answer.
  const ahead = date - answer.headersAt;
  const behind = answer.sentAt - date - DATE_MAY_LAG_MS;
  const tell = (ms: number, where: string): void =>
    exam.find('clock', 'clock-skew', {
      address,
      evidence: `the clock of ${address} is at least ${Math.floor(ms / 1000)} s ${where} of that of this host (date: ${answer.headers!.date})`,
    });
  if (ahead > most) tell(ahead, 'ahead');
  else if (behind > most) tell(behind, 'behind');
  else exam.pass('clock', `within ${options.maxClockSkew} s of that of this host`);
}
