/**
 * What our own calls cost, without a socket: an attempt from its pick to its end, and a whole unary call as a stub makes
 * it. Their streams answer at once.
 */
import { bench } from 'mitata';
import type { ClientCall } from '../../libs/grpc-lb/src/grpc/call/client-call.js';
import type { WireAttempt } from '../../libs/grpc-lb/src/grpc/call/wire-attempt.js';
import { CONFIGS, SIZES } from './configs.js';
import { runAndPrint } from './print.js';
import { OK, PATH, unaryCall, wireOf } from './wire.js';

for (const size of SIZES) {
  for (const [name, config] of Object.entries(CONFIGS)) {
    const { environment, picker, policy } = wireOf(config, size);
    const headers = {};
    // Calls of attempts that are measured by themselves; what they are told goes nowhere.
    const call = { method: PATH, stream: false, environment, attemptEnded: () => {} } as unknown as ClientCall;
    bench(`${size} endpoints: attempt, ${name}`, () => {
      const attempt = picker.pick(call, call, policy, false) as WireAttempt;
      attempt.open(headers, 'bench', PATH);
      attempt.onReceiveStatus(OK);
    });
    if (size !== SIZES[0]) continue;
    const args = { path: PATH, deadline: Infinity, host: undefined, parent: null, flags: 0 };
    bench(`${size} endpoints: whole unary call, ${name}`, () => unaryCall(environment, args));
  }
}

await runAndPrint('call');
