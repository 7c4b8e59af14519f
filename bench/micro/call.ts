/**
 * What our own calls cost, without a socket: an attempt from its pick to its end, and a whole unary call as a stub makes
 * it. Their streams answer at once.
 */
import { credentials, Metadata, type StatusObject, status } from '@grpc/grpc-js';
import { bench } from 'mitata';
import { Picker } from '../../libs/grpc-lb/src/core/balancing/calls/picker.js';
import type { CallPicker } from '../../libs/grpc-lb/src/grpc/call/call-dispatcher.js';
import { CallEnvironment } from '../../libs/grpc-lb/src/grpc/call/call-environment.js';
import { ClientCall } from '../../libs/grpc-lb/src/grpc/call/client-call.js';
import { AttemptHeaders } from '../../libs/grpc-lb/src/grpc/call/attempt-headers.js';
import { WireAttempt } from '../../libs/grpc-lb/src/grpc/call/wire-attempt.js';
import type { SubchannelCall } from '../../libs/grpc-lb/src/grpc/experimental.js';
import { balancingOf } from './balancing.js';
import { CONFIGS, SIZES } from './configs.js';
import { runAndPrint } from './print.js';

const OK: StatusObject = { code: status.OK, details: 'OK', metadata: new Metadata() };
const PATH = '/bench.v1.Worker/Work';
const MESSAGE = Buffer.from('a short line, as most requests are');
const FRAME = Buffer.concat([Buffer.from([0, 0, 0, 0, MESSAGE.length]), MESSAGE]);

/** The attempt that was opened last: its subchannel has one stream for all. */
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

for (const size of SIZES) {
  for (const [name, config] of Object.entries(CONFIGS)) {
    const { context, attempts, source } = balancingOf(config, size, subchannel);
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
    const policy = source.policies.all[0]!;
    const metadata = new Metadata();
    const headers = new AttemptHeaders({});
    // Calls of attempts that are measured by themselves; what they are told goes nowhere.
    const call = { method: PATH, stream: false, environment, attemptEnded: () => {} } as unknown as ClientCall;
    bench(`${size} endpoints: attempt, ${name}`, () => {
      const attempt = picker.pick(call, call, policy, false) as WireAttempt;
      attempt.open(headers, 'bench', PATH);
      attempt.onReceiveStatus(OK);
    });
    if (size !== SIZES[0]) continue;
    const listener = { onReceiveMetadata: () => {}, onReceiveMessage: () => {}, onReceiveStatus: () => {} };
    const args = { path: PATH, deadline: Infinity, host: undefined, parent: null, flags: 0 };
    bench(`${size} endpoints: whole unary call, ${name}`, () => {
      const each = new ClientCall(environment, args);
      each.start(new Metadata(), listener);
      each.sendMessageWithContext({}, MESSAGE);
      each.halfClose();
      each.startRead();
      opened.onReceiveMetadata(metadata);
      opened.onReceiveMessage(FRAME);
      opened.onReceiveStatus(OK);
    });
  }
}

await runAndPrint('call');
