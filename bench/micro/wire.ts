import { credentials, Metadata, type StatusObject, status } from '@grpc/grpc-js';
import { Picker } from '../../libs/grpc-lb/src/core/balancing/calls/picker.js';
import type { CallPicker } from '../../libs/grpc-lb/src/grpc/call/call-dispatcher.js';
import { CallEnvironment } from '../../libs/grpc-lb/src/grpc/call/call-environment.js';
import { type CallArguments, ClientCall } from '../../libs/grpc-lb/src/grpc/call/client-call.js';
import type { StreamListener } from '../../libs/grpc-lb/src/grpc/call/stream-listener.js';
import { WireAttempt } from '../../libs/grpc-lb/src/grpc/call/wire-attempt.js';
import type { SubchannelCall } from '../../libs/grpc-lb/src/grpc/experimental.js';
import { balancingOf } from './balancing.js';

export const PATH = '/bench.v1.Worker/Work';
export const OK: StatusObject = { code: status.OK, details: 'OK', metadata: new Metadata() };

const MESSAGE = Buffer.from('a short line, as most requests are');
const FRAME = Buffer.concat([Buffer.from([0, 0, 0, 0, MESSAGE.length]), MESSAGE]);
const HEADERS = new Metadata();
const LISTENER = { onReceiveMetadata: () => {}, onReceiveMessage: () => {}, onReceiveStatus: () => {} };

/** Of the attempt that was opened last: its subchannel has one stream for all. */
let opened: StreamListener;
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
  createCall: (metadata: Metadata, _authority: string, _path: string, listener: StreamListener) => {
    metadata.toHttp2Headers();
    opened = listener;
    return stream;
  },
};

/** A client whose calls end on a stream that does nothing. */
export function wireOf(config: Parameters<typeof balancingOf>[0], size: number) {
  const { context, attempts, source } = balancingOf(config, size, subchannel);
  const environment = new CallEnvironment({
    context,
    authority: 'bench',
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
  return { environment, picker, policy: source.policies.all[0]! };
}

/** A whole unary call as a stub makes it; its stream answers at once. */
export function unaryCall(environment: CallEnvironment, args: CallArguments): void {
  const call = new ClientCall(environment, args);
  call.start(new Metadata(), LISTENER);
  call.sendMessageWithContext({}, MESSAGE);
  call.halfClose();
  call.startRead();
  opened.onReceiveMetadata(HEADERS);
  opened.onReceiveMessage(FRAME);
  opened.onReceiveStatus(OK);
}
