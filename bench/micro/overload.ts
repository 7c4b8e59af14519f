/** What deadlines that travel, and shedding that has nothing to shed, add to a call. Compare each with the one before it. */
import { Metadata, propagate } from '@grpc/grpc-js';
import { bench } from 'mitata';
import { wantHandledCall } from '../../libs/grpc-lb/src/handled-call/handled-call.js';
import { Admission } from '../../libs/grpc-lb/src/server/admission.js';
import { ServedCall } from '../../libs/grpc-lb/src/server/served-call.js';
import { runAndPrint } from './print.js';
import { PATH, unaryCall, wireOf } from './wire.js';

// As grpc-js gives them to a handler.
const stated = new Metadata();
stated.set('user-agent', 'grpc-node-js/1.14.0');
stated.set('x-criticality', 'critical');
const deadline = new Date(Date.now() + 3_600_000);
const handled = { getDeadline: () => deadline };

const { environment } = wireOf({ name: 'least_request' }, 10);
/** A call as the handler's, which has the same deadline by its options if it does not inherit. */
const callUntil = (until: number): void =>
  unaryCall(environment, { path: PATH, deadline: until, host: undefined, parent: null, flags: propagate.DEFAULTS });

wantHandledCall();
const part = (): void => {};

bench('a handler without a context: its three parts', () => {
  part();
  part();
  part();
});
bench('a handler with a context: its three parts', () => {
  const call = admitting.served(handled as never, stated)!;
  call.run(part);
  call.run(part);
  call.run(part);
  call.answered();
});
const untilDeadline = deadline.getTime();
bench('a whole unary call without a deadline, outside of handlers', () => callUntil(Infinity));
bench('a whole unary call with a deadline, outside of handlers', () => callUntil(untilDeadline));
const served = new ServedCall(handled as never, 'critical');
const inContext = (): void => callUntil(Infinity);
bench('a whole unary call that inherits it from a handler', () => served.run(inContext));

const deadlines = { propagate: true, refuseHopeless: false };
const admitting = new Admission({ deadlines, shedding: undefined });
bench('a call that arrives, without shedding', () => void admitting.onArrival(PATH, handled as never, stated));
const shedding = new Admission({
  deadlines,
  shedding: { maxEventLoopDelay: 20, maxConcurrent: 'auto', trustCriticality: true },
});
const shedder = shedding.shedder!;
bench('a call that arrives and ends, with shedding that has nothing to shed', () => {
  shedding.onArrival(PATH, handled as never, stated);
  shedder.started();
  shedder.ended();
});
// Since nothing ends the turn of the event loop between calls, its end is measured by itself.
bench('the end of a turn of the event loop with new calls, with shedding', () => shedder.measured(1, 1));

await runAndPrint('overload');
