import { didYouMean } from '../../core/options/validation.js';
import { callOnce, type RawAnswer } from '../peer/call-once.js';
import { encodeReflection, methodsIn, servicesIn } from '../peer/reflection-messages.js';
import type { Connected, Site } from '../site.js';
import type { Wanted } from './wanted.js';

const REFLECTION_MS = 500;
const MAX_BYTES = 1_048_576;
/** Bounds the calls, and the search for similar names. */
const MAX_SERVICES = 50;
const MAX_NAMES = 200;
const UNIMPLEMENTED = 12;
const NO_REFLECTION = 'the server has no reflection service (v1, v1alpha)';

const VERSIONS = ['v1', 'v1alpha'] as const;
type Version = (typeof VERSIONS)[number];

/**
 * Compares the services and methods of a server, as reflection shows them, with those that it must have. A finding is
 * likely, not certain: a server may serve more than its reflection lists.
 */
export async function examineServices(site: Site, connected: Connected, wanted: Wanted): Promise<void> {
  const { exam } = site;
  if (wanted.size === 0) return exam.skip('services', 'no proto file, service or method to look for');
  const listed = await listServices(site, connected);
  if (listed === NO_REFLECTION) {
    const { address } = connected;
    return exam.find('services', 'no-reflection', { address, evidence: `${address}: ${listed}` });
  }
  if (typeof listed === 'string') return exam.skip('services', `${connected.address}: ${listed}`);
  const { version, names } = listed;
  const known = new Set(names);
  let compared = 0;
  for (const [service, methods] of [...wanted].slice(0, MAX_SERVICES)) {
    if (known.has(service)) compared += Number(await examineMethods(site, connected, version, service, methods));
    else {
      const evidence = `reflection of ${connected.address} lists no service "${service}"${likeliest(service, names)}`;
      exam.find('services', 'service-missing', { address: connected.address, evidence, certainty: 'likely' });
    }
  }
  if (compared === 0) return exam.skip('services', `${connected.address}: reflection describes none of the services`);
  exam.pass('services', `${compared} of ${wanted.size} are there, with their methods (reflection ${version})`);
}

/** Returns whether reflection describes the service. */
async function examineMethods(
  site: Site,
  connected: Connected,
  version: Version,
  service: string,
  methods: ReadonlySet<string>,
): Promise<boolean> {
  if (methods.size === 0) return true;
  const answer = await ask(site, connected, version, { file_containing_symbol: service });
  const found = answer.kind === 'message' ? methodsIn(answer.message, service) : undefined;
  for (const method of methods) {
    if (!found || found.includes(method)) continue;
    const evidence = `reflection of ${connected.address} lists no method "${method}" in "${service}"${likeliest(method, found)}`;
    site.exam.find('services', 'method-missing', { address: connected.address, evidence, certainty: 'likely' });
  }
  return found !== undefined;
}

/** Why there is no list, or the list. */
async function listServices(
  site: Site,
  connected: Connected,
): Promise<string | { readonly version: Version; readonly names: readonly string[] }> {
  for (const version of VERSIONS) {
    const answer = await ask(site, connected, version, { list_services: '' });
    if (answer.kind === 'status' && answer.code === UNIMPLEMENTED) continue;
    if (answer.kind === 'message') {
      const names = servicesIn(answer.message);
      return names ? { version, names } : 'the answer of reflection is unreadable';
    }
    if (answer.kind === 'status') return `reflection ended with status ${answer.code} ${answer.text}`.trimEnd();
    return answer.kind === 'timeout' ? 'reflection did not answer' : `reflection failed: ${answer.text}`;
  }
  return NO_REFLECTION;
}

function ask(
  { authority, tls, budget }: Site,
  { peer }: Connected,
  version: Version,
  request: Parameters<typeof encodeReflection>[0],
): Promise<RawAnswer> {
  return callOnce(peer, {
    path: `/grpc.reflection.${version}.ServerReflection/ServerReflectionInfo`,
    scheme: tls ? 'https' : 'http',
    authority,
    request: encodeReflection(request),
    timeoutMs: budget.step(REFLECTION_MS),
    maxBytes: MAX_BYTES,
  });
}

const likeliest = (name: string, names: readonly string[]): string => didYouMean(name, names.slice(0, MAX_NAMES));
