import type { Metadata } from '@grpc/grpc-js';
import { CRITICALITY_KEY, type CriticalityLevel, isCriticality } from '../core/call/criticality.js';

/** W3C Baggage: "list-member = key OWS "=" OWS value *( OWS ";" OWS property )", members are separated by commas. */
const IN_BAGGAGE = /(?:^|,)[ \t]*criticality[ \t]*=[ \t]*([a-z_]+)[ \t]*(?=[,;]|$)/;

/** What the recommendation asks everyone to pass on; no more is read. */
const MAX_BAGGAGE = 8192;

/**
 * How important a call is, as far as its caller is believed; undefined if it says nothing that can be understood.
 *
 * @param trusts Whether callers may claim `critical_plus`; if not, that counts as `critical`.
 */
export function believedCriticality(metadata: Metadata, trusts: boolean): CriticalityLevel | undefined {
  const stated = statedCriticality(metadata);
  return stated === 'critical_plus' && !trusts ? 'critical' : stated;
}

/** How important the caller says that a call is; undefined if it says nothing that can be understood. */
export function statedCriticality(metadata: Metadata): CriticalityLevel | undefined {
  const [stated] = metadata.get(CRITICALITY_KEY);
  if (isCriticality(stated)) return stated;
  const [baggage] = metadata.get('baggage');
  if (typeof baggage !== 'string') return undefined;
  const member = IN_BAGGAGE.exec(baggage.slice(0, MAX_BAGGAGE))?.[1];
  return isCriticality(member) ? member : undefined;
}
