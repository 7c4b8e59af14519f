import type { StandbyEndpoint } from '../../core/balancing/members/members.js';
import { GrpcLbArgumentError } from '../../core/errors.js';
import type { EffectiveLoadBalancing } from '../../core/options/load-balancing.js';
import type { PolicyConfig } from '../../core/options/policy-config.js';
import type { HashKeySource } from '../../core/options/ring-hash-options.js';
import { didYouMean, isObject, shown } from '../../core/options/validation.js';
import { plural } from '../../core/plural.js';
import type { EndpointChance } from '../../core/picking/chances.js';
import { type CallInfo, UNKNOWN_CALL } from '../../core/policy/policy.js';
import { FULL_SCAN_LIMIT, SAMPLE_SIZE } from '../../core/policy/sample.js';
import { HOT_QUANTILE, POOL_SIZE } from '../../core/policy/hot-cold.js';
import { DECAY_TIME_MS } from '../../core/policy/peak-ewma.js';
import type { ClientSnapshot, EndpointSnapshot } from '../../core/snapshot.js';
import type { MethodInfo } from '../config/service-config.js';

/** One endpoint in an explanation. */
export interface EndpointExplanation {
  /** The address of the endpoint. */
  readonly address: string;
  /** Probability that it gets the next call, from 0 to 1. */
  readonly chance: number;
  /** The reason, for people. */
  readonly why: string;
}

/** The call that is to be explained. */
export interface CallToExplain {
  /**
   * As in `Find` or `/orders.v1.Orders/Find`. A method may have its own policy.
   *
   * @default any method without its own policy
   */
  readonly method?: string | undefined;
  /**
   * The key of `ring_hash`; other policies ignore it.
   *
   * @default a call with any key
   */
  readonly key?: string | undefined;
}

/** Why the next call goes where it goes. */
export interface Explanation {
  /** The name of the client. */
  readonly client: string;
  /** The policy in force, in a sentence. */
  readonly rule: string;
  /** What happens to a call made now. */
  readonly next: string;
  /** All endpoints, including standbys. */
  readonly endpoints: readonly EndpointExplanation[];
}

export function explainClient(
  snapshot: ClientSnapshot,
  chances: readonly EndpointChance[] = [],
  standbys: readonly StandbyEndpoint[] = [],
  call: CallInfo = UNKNOWN_CALL,
): Explanation {
  const chanceOf = new Map(chances.map((each) => [each[0], each]));
  const candidates = snapshot.endpoints.filter(({ address }) => chanceOf.has(address));
  const panic = snapshot.panic && candidates.length > 0 ? `. ${panicText(candidates)}` : '';
  return {
    client: snapshot.client,
    rule: snapshot.loadBalancing
      ? ruleOf(policyFor(snapshot.loadBalancing, call), chances.length, kindOf(candidates, snapshot)) + panic
      : 'the control plane decides, and does not report how',
    next: nextOf(snapshot, candidates),
    endpoints: [
      ...snapshot.endpoints.map((endpoint) => {
        const { address } = endpoint;
        const [, chance, ramp] = chanceOf.get(address) ?? [address, 0, 1];
        const used =
          snapshot.panic && chanceOf.has(address) && !isHealthy(endpoint)
            ? '; used nevertheless, because of panic'
            : '';
        return { address, chance, why: whyOf(endpoint, snapshot.priorities, ramp) + used };
      }),
      ...standbys.map(({ address, priority }) => ({
        address,
        chance: 0,
        why: `standby: not connected, as its priority ${priority} is not needed`,
      })),
    ],
  };
}

/** @throws GrpcLbArgumentError if the client has no such method. */
export function infoOf(call: CallToExplain, client: string, methods: readonly MethodInfo[]): CallInfo {
  if (!isObject(call))
    throw new GrpcLbArgumentError(`client ${client}: the call to explain is ${shown(call)}; use { method, key }`);
  const { method, key } = call;
  if (method === undefined && key === undefined) return UNKNOWN_CALL;
  const found = methods.find((each) => each.method === method || `/${each.service}/${each.method}` === method);
  if (method !== undefined && !found) {
    const known = [...new Set(methods.map((each) => each.method))];
    throw new GrpcLbArgumentError(
      `client ${client}: ${shown(method)} is not a method of its services${didYouMean(method, known)}; they have ${known.join(', ') || 'none'}`,
    );
  }
  return {
    method: found ? `/${found.service}/${found.method}` : '',
    stream: found !== undefined && (found.requestStream === true || found.responseStream),
    hashKey: key,
  };
}

function policyFor({ policy, methods }: EffectiveLoadBalancing, { method }: CallInfo): PolicyConfig {
  const own = methods?.[method.slice(method.lastIndexOf('/') + 1)]?.policy ?? policy;
  return typeof own === 'string' ? { name: own } : own;
}

function isHealthy({ state }: EndpointSnapshot): boolean {
  return state === 'ready' || state === 'degraded';
}

function kindOf(candidates: readonly EndpointSnapshot[], { panic }: ClientSnapshot): string {
  if (candidates.every(({ state }) => state === 'ready')) return 'ready';
  return panic ? 'connected' : 'ready or degraded';
}

function panicText(candidates: readonly EndpointSnapshot[]): string {
  const healthy = candidates.filter(isHealthy).length;
  const of = `of ${candidates.length} connected endpoints`;
  return `Panic: ${healthy === 0 ? `none ${of} is` : `only ${healthy} ${of} are`} healthy, so calls go to all of them`;
}

/** @param kind What the endpoints that calls go to have in common. */
function ruleOf(policy: PolicyConfig, count: number, kind: string): string {
  if (count === 0) return `${policy.name}: no endpoint is ready`;
  if (count === 1) return `${policy.name}: the only ${kind} endpoint`;
  switch (policy.name) {
    case 'least_request':
      return `least_request: the fewest calls in flight among ${among(count, kind, policy.choiceCount)}; ties at random`;
    case 'adaptive':
      return `adaptive: the lowest product of calls in flight and relative latency among ${among(count, kind)}; ties at random`;
    case 'peak_ewma':
      return `peak_ewma: the lowest product of calls in flight and latency, whose peaks fade in ${policy.decayTime ?? DECAY_TIME_MS} ms, among ${among(count, kind)}`;
    case 'hot_cold': {
      const percent = Math.round((policy.hotQuantile ?? HOT_QUANTILE) * 100);
      return `hot_cold: among ${among(count, kind, POOL_SIZE)} the fastest of those no busier than ${percent} % of recent observations, else the least busy`;
    }
    case 'round_robin':
      return `round_robin: ${count} ${kind} endpoints, one after the other`;
    case 'weighted_round_robin':
      return policy.weights === 'fixed'
        ? `weighted_round_robin: ${count} ${kind} endpoints in turn, in proportion to their weights`
        : `weighted_round_robin: ${count} ${kind} endpoints in turn, in proportion to what they report ${policy.enableOobLoadReport ? 'out of band' : 'with their answers'}; those that report nothing take the mean`;
    case 'ring_hash':
      return `ring_hash: by ${hashKeyText(policy.by)}, each key maps to one of ${count} ${kind} endpoints${policy.boundedLoad === undefined ? '' : `, none with more than ${policy.boundedLoad} times its share`}; calls without a key go to any`;
    case 'random':
      return `random: one of ${count} ${kind} endpoints, in proportion to their weights`;
    case 'pick_first':
      return `pick_first: the first of ${count} ${kind} endpoints${policy.shuffleAddressList ? ", in this client's shuffled order" : ''}`;
  }
}

function among(count: number, kind: string, choices = count <= FULL_SCAN_LIMIT ? count : SAMPLE_SIZE): string {
  return choices >= count
    ? `all ${count} ${kind} endpoints`
    : `${choices} of ${count} ${kind} endpoints, chosen at random`;
}

function hashKeyText(by: HashKeySource): string {
  if (typeof by === 'string') return `the metadata key ${by}`;
  return typeof by === 'function' ? 'a function' : `the field ${by.field} of the request`;
}

function nextOf({ state, source, pending, panic }: ClientSnapshot, candidates: readonly EndpointSnapshot[]): string {
  if (state === 'ready') {
    if (pending > 0) return `waits behind ${plural(pending, 'call')}: every connection is at its stream limit`;
    if (!panic) return 'is sent at once';
    return `is sent at once, but may fail: panic, and ${candidates.some(isHealthy) ? 'few endpoints are' : 'no endpoint is'} healthy`;
  }
  if (state === 'connecting') return 'waits for the first connection';
  if (state === 'transient_failure') {
    return `fails with UNAVAILABLE, or waits if it sets waitForReady: ${source.error ?? 'no endpoint is ready'}`;
  }
  return state === 'idle' ? 'starts discovery and waits for it' : 'fails: the client is closed';
}

function whyOf(
  {
    state,
    reason,
    inFlight,
    streams,
    weight,
    connections,
    priority,
    locality,
    failureRate,
    refusalRate,
    shedding,
  }: EndpointSnapshot,
  priorities: ClientSnapshot['priorities'],
  ramp: number,
): string {
  if (state !== 'ready') return reason === null ? state : `${state}: ${reason}`;
  const group = priorities.find((each) => each.priority === priority);
  if (group?.share === 0) return `ready, on standby: priority ${priority} is not needed`;
  const usable = connections.filter((connection) => connection.state === 'ready');
  const room = usable.reduce(
    (sum, connection) => sum + Math.max(0, connection.maxConcurrentStreams - connection.inFlight),
    0,
  );
  const full = room > 0 ? '' : ', every connection is at its stream limit';
  const rank = priorities.length > 1 || priority > 0 ? `, priority ${priority}` : '';
  const zone = group?.crossZoneShare === null || locality?.zone === undefined ? '' : `, zone ${locality.zone}`;
  const slowly = ramp < 1 ? `, starts slowly: at ${Math.round(ramp * 100)} % of its share` : '';
  const failing = shareOfCalls(failureRate, 'failed');
  const refusing = shareOfCalls(refusalRate, 'were refused');
  const shed = shedding ? ', sheds load' : '';
  const lasting =
    streams.open > 0 ? `, of them ${plural(streams.open, 'stream')} that last${streams.open === 1 ? 's' : ''}` : '';
  return `ready: ${inFlight} in flight${lasting}, weight ${weight}${rank}${zone}${failing}${refusing}${shed}${slowly}${full}`;
}

function shareOfCalls(share: number, became: string): string {
  const percent = Math.round(share * 100);
  return percent > 0 ? `, ${percent} % of its recent calls ${became}` : '';
}
