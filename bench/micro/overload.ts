/** What deadlines that travel, and shedding that has nothing to shed, add to a call. Compare each with the one before it. */
import { credentials, Metadata, propagate, type StatusObject, status } from '@grpc/grpc-js';
import { bench } from 'mitata';
import { Picker } from '../../libs/grpc-lb/src/core/balancing/calls/picker.js';
import type { CallPicker } from '../../libs/grpc-lb/src/grpc/call/call-dispatcher.js';
import { CallEnvironment } from '../../libs/grpc-lb/src/grpc/call/call-environment.js';
import { ClientCall } from '../../libs/grpc-lb/src/grpc/call/client-call.js';
import { WireAttempt } from '../../libs/grpc-lb/src/grpc/call/wire-attempt.js';
import type { SubchannelCall } from '../../libs/grpc-lb/src/grpc/experimental.js';
import { wantHandledCall } from '../../libs/grpc-lb/src/handled-call/handled-call.js';
import { Admission } from '../../libs/grpc-lb/src/server/admission.js';
import { ServedCall } from '../../libs/grpc-lb/src/server/served-call.js';
import { balancingOf } from './balancing.js';
import { runAndPrint } from './print.js';

const PATH = '/bench.v1.Worker/Work';
const MESSAGE = Buffer.from('a short line, as most requests are');
const FRAME = Buffer.concat([Buffer.from([0, 0, 0, 0, MESSAGE.length]), MESSAGE]);
const OK: StatusObject = { code: status.OK, details: 'OK', metadata: new Metadata() };
const HEADERS = new Metadata();

// As grpc-js gives them to a handler.
const stated = new Metadata();
stated.set('user-agent', 'grpc-node-js/1.14.0');
stated.set('x-criticality', 'critical');
const deadline = new Date(Date.now() + 3_600_000);
const handled = { getDeadline: () => deadline };

let opened: WireAttempt;
const stream = {
  sendMessageWithContext: () => {},
  halfClose: () => {},
  startRead: () => {},
  cancelWithStatus: () => {},
  getPeer: () => 'host:1',
  getAuthContext: () => null,
} as unknown as SubchannelCall;
const subchannel = {
  getRealSubchannel: () => subchannel,
  createCall: (metadata: Metadata, _authority: string, _path: string, attempt: WireAttempt) => {
    metadata.toHttp2Headers();
    opened = attempt;
    return stream;
  },
};
const { context, attempts, source } = balancingOf({ name: 'least_request' }, 10, subchannel);
const environment = new CallEnvironment({
  context,
  authority: 'bench',
  target: 'static:///bench',
  credentials: credentials.createInsecure(),
  channelOptions: {},
  observer: undefined,
  connect: () => {},
});
environment.configure();
const picker: CallPicker = new Picker(
  source,
  (member, connection, call, policy) => new WireAttempt(attempts, member, connection, call, policy),
);
environment.dispatcher.ready(picker, source.policies);
const listener = { onReceiveMetadata: () => {}, onReceiveMessage: () => {}, onReceiveStatus: () => {} };

/** A call as the handler's, which has the same deadline by its options if it does not inherit. */
function unaryCall(until: number): void {
  const each = new ClientCall(environment, {
    path: PATH,
    deadline: until,
    host: undefined,
    parent: null,
    flags: propagate.DEFAULTS,
  });
  each.start(new Metadata(), listener);
  each.sendMessageWithContext({}, MESSAGE);
  each.halfClose();
  each.startRead();
  opened.onReceiveMetadata(HEADERS);
  opened.onReceiveMessage(FRAME);
  opened.onReceiveStatus(OK);
}

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
bench('a whole unary call without a deadline, outside of handlers', () => unaryCall(Infinity));
bench('a whole unary call with a deadline, outside of handlers', () => unaryCall(untilDeadline));
const served = new ServedCall(handled as never, 'critical');
const inContext = (): void => unaryCall(Infinity);
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
