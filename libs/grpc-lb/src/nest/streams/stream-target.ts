import { BalancedChannel } from '../../grpc/channel/balanced-channel.js';
import type { DelegatedChannel } from '../../grpc/channel/delegated-channel.js';
import { methodNames, type NamedMethod } from '../definition/method-names.js';
import type { MethodCaller } from '../stub/start-call.js';
import type { Method } from '../stub/subscribed-call.js';
import type { StreamTarget } from './resumable-call.js';
import type { ResumableMethod } from './resumable-options.js';
import { rulesOf } from './resumable-rules.js';

/** The options of a method, under any of its names. */
export function resumableFor(
  methods: readonly ResumableMethod[] | undefined,
  method: Method & NamedMethod,
): ResumableMethod | undefined {
  if (!methods) return undefined;
  const names = methodNames(method);
  return methods.find((each) => names.includes(each.method));
}

/** What the streams of a method share; without options they do not resume. */
export function streamTarget(
  caller: MethodCaller,
  channel: BalancedChannel | DelegatedChannel,
  options: ResumableMethod | undefined,
): StreamTarget {
  const { subject, clientName, method, client, direct, openCalls, keyed = (_request, metadata) => metadata } = caller;
  return {
    method,
    openCalls,
    client,
    clientName,
    channel: channel instanceof BalancedChannel ? channel : undefined,
    // Interceptors see the calls that grpc-js's client makes.
    direct: direct?.interceptors.length === 0,
    rules: rulesOf(subject, options, { client: clientName, method: method.path }),
    argumentRules: caller,
    keyed,
  };
}
