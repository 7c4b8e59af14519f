import { BalancedChannel } from '../../grpc/channel/balanced-channel.js';
import type { DelegatedChannel } from '../../grpc/channel/delegated-channel.js';
import type { MethodCaller } from '../stub/start-call.js';
import type { Method } from '../stub/subscribed-call.js';
import type { StreamTarget } from './resumable-call.js';
import type { ResumableMethod } from './resumable-options.js';
import { rulesOf } from './resumable-rules.js';

/** The options of a method, under either of its names. */
export function resumableFor(
  methods: readonly ResumableMethod[] | undefined,
  method: Method & { readonly originalName?: string | undefined },
): ResumableMethod | undefined {
  const name = method.path.slice(method.path.lastIndexOf('/') + 1);
  return methods?.find((each) => each.method === name || each.method === method.originalName);
}

/** What the streams of a method share; without options they do not resume. */
export function streamTarget(
  caller: MethodCaller,
  channel: BalancedChannel | DelegatedChannel,
  options: ResumableMethod | undefined,
): StreamTarget {
  const { subject, method, client, direct, openCalls, keyed = (_request, metadata) => metadata } = caller;
  return {
    method,
    openCalls,
    client,
    channel: channel instanceof BalancedChannel ? channel : undefined,
    // Interceptors see the calls that grpc-js's client makes.
    direct: direct?.interceptors.length === 0,
    rules: rulesOf(subject, options),
    argumentRules: caller,
    keyed,
  };
}
