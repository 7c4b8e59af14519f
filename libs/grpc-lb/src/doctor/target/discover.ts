import type { Endpoint } from '../../core/endpoint.js';
import { checkEndpoints } from '../../core/endpoint-check.js';
import type { EndpointSource } from '../../core/endpoint-source.js';
import { firstOutcome } from '../outcome.js';

/** The first thing that a source reports. */
export type Discovered =
  | { readonly kind: 'list'; readonly endpoints: readonly Endpoint[]; readonly warnings: readonly string[] }
  | { readonly kind: 'error'; readonly error: Error }
  | { readonly kind: 'timeout' };

/** Bounds the warnings of a source. */
const MAX_WARNINGS = 20;

/** Runs a source until it has reported a list or an error. */
export async function discover(source: EndpointSource, timeoutMs: number): Promise<Discovered> {
  const warnings: string[] = [];
  const outcome = await firstOutcome<Discovered>(
    timeoutMs,
    () => ({ kind: 'timeout' }),
    (settle) => {
      source.start({
        onEndpoints: (list) => {
          const { good, fault } = checkEndpoints(list);
          if (fault !== undefined) warnings.push(`endpoints are dropped: ${fault}`);
          settle({ kind: 'list', endpoints: good, warnings });
        },
        onError: (error) => settle({ kind: 'error', error }),
        onWarning: (warning) => {
          if (warnings.length < MAX_WARNINGS) warnings.push(warning);
        },
      });
    },
  );
  // Warnings about a list come right after it.
  await new Promise((resolve) => setImmediate(resolve));
  source.stop();
  return outcome;
}
