import type { Endpoint } from '../../core/endpoint.js';
import { GrpcLbOptionsError } from '../../core/errors.js';
import { plural } from '../../core/plural.js';
import { printableError } from '../../core/printable.js';
import { withoutSecrets } from '../../core/target-secrets.js';
import { parseTarget } from '../../discovery/index.js';
import { targetWarning } from '../../grpc/channel/target-warning.js';
import { systemClock } from '../../grpc/context/system-clock.js';
import type { Site } from '../site.js';
import { discover } from '../target/discover.js';
import { sourceOf } from '../target/source-of.js';

const DISCOVERY_MS = 2500;

/** Resolves the target as a client does; empty if there is nothing to examine. */
export async function examineTarget({ exam, budget, options, tls }: Site): Promise<readonly Endpoint[]> {
  const shown = withoutSecrets(options.target);
  try {
    const target = parseTarget(options.target);
    if (target.scheme === 'xds') {
      const evidence = 'xds: is resolved by @grpc/grpc-js-xds while it makes calls';
      exam.find('discovery', 'target-not-examined', { evidence });
      return [];
    }
    const source = await sourceOf(target, { clock: systemClock, random: Math.random });
    const doubt = targetWarning(options.target, tls !== undefined);
    if (doubt !== undefined) exam.find('discovery', 'doubtful-target', { evidence: doubt, certainty: 'likely' });
    const timeoutMs = budget.step(DISCOVERY_MS);
    const found = await discover(source, timeoutMs);
    if (found.kind === 'timeout') {
      exam.find('discovery', 'discovery-failed', { evidence: `${shown}: no answer within ${timeoutMs} ms` });
      return [];
    }
    if (found.kind === 'error') {
      const code = isUnknownName(found.error) ? 'name-not-found' : 'discovery-failed';
      exam.find('discovery', code, { evidence: printableError(found.error) });
      return [];
    }
    for (const evidence of found.warnings) exam.find('discovery', 'discovery-warning', { evidence });
    const count = found.endpoints.length;
    if (count === 0) exam.find('discovery', 'no-endpoints', { evidence: `${shown} lists no endpoints` });
    else exam.pass('discovery', plural(count, 'endpoint'));
    return found.endpoints.toSorted((a, b) => (a.priority ?? 0) - (b.priority ?? 0));
  } catch (error) {
    exam.find('discovery', 'invalid-target', { evidence: faultText(error) });
    return [];
  }
}

/** A resolver has answered that there is no such name; all else is a failure to ask. */
function isUnknownName({ cause }: Error): boolean {
  const { code } = Object(cause) as NodeJS.ErrnoException;
  return code === 'ENOTFOUND' || code === 'ENODATA' || code === 'EAI_NONAME';
}

function faultText(error: unknown): string {
  if (error instanceof GrpcLbOptionsError)
    return `${error.subject}: ${error.faults.map(({ path, message }) => `${path} ${message}`).join('; ')}`;
  const { code } = Object(error) as NodeJS.ErrnoException;
  // Node names the file that imports it as well, which does not help.
  if (code === 'ERR_MODULE_NOT_FOUND') {
    const missing = /package '([^']+)'/.exec(String(error))?.[1] ?? 'a package';
    return `the source of this target needs a package that is not installed: npm install ${missing}`;
  }
  return printableError(error);
}
