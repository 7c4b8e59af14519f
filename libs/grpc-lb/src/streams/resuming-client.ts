import type { CallOptions, Client, Metadata, ServiceClientConstructor } from '@grpc/grpc-js';
import { type Fault, GrpcLbArgumentError, GrpcLbOptionsError } from '../core/errors.js';
import { BalancedChannel } from '../grpc/channel/balanced-channel.js';
import { channelOf } from '../grpc/channel/channel-of.js';
import { ReplayingCall } from '../nest/streams/replaying-call.js';
import { ResumableCall, type StreamTarget } from '../nest/streams/resumable-call.js';
import { checkResumable } from '../nest/streams/resumable-check.js';
import { resumableFor, streamTarget } from '../nest/streams/stream-target.js';
import type { ResumableMethod } from '../nest/streams/resumable-options.js';
import { type CallArguments, callArguments } from '../nest/stub/call-arguments.js';
import { OpenCalls } from '../nest/stub/open-calls.js';
import type { ResumableClientMethod } from './client-methods.js';
import { ResumingDuplex } from './resuming-duplex.js';
import { ResumingReadable } from './resuming-readable.js';

/**
 * The same client, with methods whose streams resume: a stream whose server fails begins again where it was, and one
 * whose server is about to stop moves to another before. The streams are those of grpc-js, `ClientReadableStream` and
 * `ClientDuplexStream`, and can be read by events, by pipes, and one message at a time by `for await`. All other methods
 * are those of the client.
 *
 * `metadata` is emitted for each call that carries a stream, `status` once.
 *
 * @param client A client of grpc-js, generated or not, on a channel of `createBalancedChannel()`.
 * @param methods The methods that resume; each once.
 * @throws GrpcLbArgumentError if the client is on another channel, or does not know its service.
 * @throws GrpcLbOptionsError that lists all faults of the methods.
 */
export function resumingClient<C extends Client>(client: C, methods: readonly ResumableClientMethod<NoInfer<C>>[]): C {
  const channel = 'getChannel' in Object(client) ? channelOf(client) : undefined;
  if (!(channel instanceof BalancedChannel)) {
    throw new GrpcLbArgumentError(
      'resumingClient: client is not on a channel of createBalancedChannel(); pass that channel as its channelOverride',
    );
  }
  const Service = client.constructor as Partial<ServiceClientConstructor>;
  if (!Service.service) {
    throw new GrpcLbArgumentError(
      'resumingClient: client does not know its service; pass a client that makeGenericClientConstructor(), loadPackageDefinition() or a generator for grpc-js has made',
    );
  }
  const resumable = methods as unknown as readonly ResumableMethod[];
  const faults: Fault[] = [];
  // No methods are a fault, too.
  checkResumable(resumable ?? null, new Map([['', Service as ServiceClientConstructor]]), faults);
  if (faults.length > 0) throw new GrpcLbOptionsError(`client ${channel.name}`, faults);
  const resuming = Object.create(client) as Record<string, unknown>;
  const openCalls = new OpenCalls();
  for (const [key, method] of Object.entries(Service.service)) {
    const options = resumableFor(resumable, method);
    if (!options) continue;
    const subject = `client ${channel.name}, ${method.path.slice(1)}`;
    const keyed = (request: unknown, metadata: Metadata): Metadata => channel.keyed(request, metadata, method.path);
    // The client makes the calls, so that its interceptors see them.
    const names = { clientName: channel.name, target: channel.getTarget() };
    const common = { client, ...names, direct: undefined, intercepted: true, delegated: false };
    const target = streamTarget({ subject, ...common, method, openCalls, keyed }, channel, options);
    const open = method.requestStream ? duplexMethod(target) : readableMethod(target);
    resuming[key] = open;
    if (method.originalName !== undefined) resuming[method.originalName] = open;
  }
  return resuming as unknown as C;
}

function readableMethod(target: StreamTarget) {
  return (request: unknown, metadata?: Metadata | CallOptions, options?: CallOptions): ResumingReadable => {
    const stream = new ResumingReadable();
    const args = argumentsOf(target, stream, metadata, options);
    stream.side.start(new ResumableCall(target, args, request, stream.side));
    return stream;
  };
}

function duplexMethod(target: StreamTarget) {
  return (metadata?: Metadata | CallOptions, options?: CallOptions): ResumingDuplex => {
    const stream = new ResumingDuplex();
    const args = argumentsOf(target, stream, metadata, options);
    stream.side.start(new ReplayingCall(target, args, stream.requests, stream.side));
    return stream;
  };
}

function argumentsOf(
  { argumentRules }: StreamTarget,
  { side }: ResumingReadable | ResumingDuplex,
  metadata: Metadata | CallOptions | undefined,
  options: CallOptions | undefined,
): CallArguments {
  return { ...callArguments(argumentRules, metadata, options), ...side.listeners };
}
