import type { EndpointSource, EndpointSourceContext, EndpointSourceFactory, Target } from '../core/endpoint-source.js';
import { type Fault, GrpcLbOptionsError } from '../core/errors.js';
import { didYouMean, shown } from '../core/options/validation.js';
import { hasSecrets } from '../core/target-secrets.js';
import { dnsSourceFactory } from './dns/dns-source-factory.js';
import { staticSourceFactory } from './static-source.js';
import { isScheme, targetSubject } from './target.js';

/** What `registerEndpointSource` takes beside the factory. */
export interface RegisterEndpointSourceOptions {
  /**
   * Whether the factory replaces the one that the scheme has. Otherwise a registered scheme is an error.
   *
   * @default false
   */
  readonly replace?: boolean;
}

const dns = dnsSourceFactory();

const factories = new Map<string, EndpointSourceFactory>([
  ['dns', dns],
  ['dns+srv', dns],
  ['static', staticSourceFactory],
]);

/**
 * Registers a source for targets with this scheme. Call it before the module is built: existing clients keep their
 * source. The same factory may be registered again, as when a module is loaded twice.
 *
 * @throws GrpcLbOptionsError if the scheme is invalid or already registered.
 * @example
 *   registerEndpointSource('registry', (target, context) => new RegistrySource(target.path, context.clock));
 */
export function registerEndpointSource(
  scheme: string,
  factory: EndpointSourceFactory,
  { replace = false }: RegisterEndpointSourceOptions = {},
): void {
  const faults: Fault[] = [];
  if (typeof scheme !== 'string' || !isScheme(scheme) || scheme !== scheme.toLowerCase()) {
    faults.push({
      path: 'scheme',
      message: `is ${shown(scheme)}; use a lower-case letter, followed by lower-case letters, digits, "+", "." or "-"`,
    });
  }
  if (typeof factory !== 'function') {
    faults.push({ path: 'factory', message: `is ${shown(factory)}; use a function that makes an EndpointSource` });
  }
  const taken = factories.get(scheme);
  if (taken && taken !== factory && !replace) {
    const remedy = 'register yours under another scheme, or pass { replace: true } to replace it';
    faults.push({ path: 'scheme', message: `is ${shown(scheme)}, which already has a source; ${remedy}` });
  }
  if (faults.length > 0) throw new GrpcLbOptionsError('registerEndpointSource', faults);
  factories.set(scheme, factory);
}

/** In alphabetical order. */
export function registeredSchemes(): string[] {
  return [...factories.keys()].toSorted();
}

/** Creates the source of a target. @throws GrpcLbOptionsError that lists the faults of the target. */
export function createEndpointSource(target: Target, context: EndpointSourceContext): EndpointSource {
  const factory = factories.get(target.scheme);
  if (!factory)
    throw new GrpcLbOptionsError(targetSubject(target), [addressFault(target) ?? unknownScheme(target.scheme)]);
  if (target.path === '') throw new GrpcLbOptionsError(targetSubject(target), [noPath(target)]);
  // Before all other checks, because faults quote the part of the target that they concern.
  if (NEEDS_NO_SECRET.has(target.scheme) && hasSecrets(target.uri))
    throw new GrpcLbOptionsError(targetSubject(target), [secretInTarget]);
  return factory(target, context);
}

/**
 * Sources of this package that take no user info, token or password from a target; the Consul source refuses them with
 * its own remedy.
 */
const NEEDS_NO_SECRET: ReadonlySet<string> = new Set(['dns', 'dns+srv', 'static', 'kubernetes', 'eds', 'file']);

const secretInTarget: Fault = {
  path: 'target',
  message: 'has user info, a token or a password, which this source does not use; remove it',
};

/** Schemes that need a sub-path and a separate package. */
const ON_DEMAND: Readonly<Record<string, readonly [subPath: string, register: string, peer: string]>> = {
  consul: ['consul', 'registerConsul', 'consul'],
  eds: ['xds', 'registerXds', '@grpc/grpc-js-xds'],
  file: ['file', 'registerFile', 'yaml'],
  kubernetes: ['kubernetes', 'registerKubernetes', '@kubernetes/client-node'],
  xds: ['xds', 'registerXds', '@grpc/grpc-js-xds'],
};

/** Common alternative names of schemes. */
const ALIASES: Readonly<Record<string, string>> = {
  k8s: 'kubernetes',
  kube: 'kubernetes',
  srv: 'dns+srv',
  'dns-srv': 'dns+srv',
  dnssrv: 'dns+srv',
};

/** Schemes of gRPC and the web, and what to write here instead. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  ipv4: 'write static:///host:port,host:port in place of ipv4:host:port,host:port',
  ipv6: 'write static:///[::1]:port,[::2]:port in place of ipv6:[::1]:port,[::2]:port',
  unix: 'write static:///unix:path in place of unix:path',
  http: 'write dns:///host:port in place of http://host:port',
  https: 'write dns:///host:port in place of https://host:port, and set tls: {}',
};

/** Of an address whose port is no number, `orders:` or `a:1,b:2`: it has the form of a target with a scheme. */
function addressFault({ uri, scheme, path }: Target): Fault | undefined {
  const isKnown =
    Object.hasOwn(ELSEWHERE, scheme) || Object.hasOwn(ON_DEMAND, scheme) || Object.hasOwn(ALIASES, scheme);
  // Anything else may be a secret, or a target of a scheme that is not registered.
  if (isKnown || uri.includes('/') || !/^[\w.,:-]*$/.test(path)) return undefined;
  if (/^\d+,/.test(path))
    return { path: 'address', message: `is ${shown(uri)}; for several addresses write static:///${uri}` };
  if (path !== '' && !/\d/.test(path) && path !== 'undefined') return undefined;
  const found = path === '' ? 'has no port after the colon' : `has the port ${shown(path)}`;
  return { path: 'address', message: `${found}; use a whole number from 1 to 65535, as in ${scheme}:50051` };
}

function unknownScheme(scheme: string): Fault {
  if (Object.hasOwn(ELSEWHERE, scheme))
    return {
      path: 'scheme',
      message: `is ${shown(scheme)}, which this package does not support; ${ELSEWHERE[scheme]}`,
    };
  const onDemand = Object.hasOwn(ON_DEMAND, scheme) ? ON_DEMAND[scheme] : undefined;
  if (onDemand) {
    const [subPath, register, peer] = onDemand;
    return {
      path: 'scheme',
      message: `is ${shown(scheme)}, which is not registered; "npm install ${peer}", then call ${register}() of nestjs-grpc-lb/${subPath} before the module is built`,
    };
  }
  const known = registeredSchemes();
  const others = Object.keys(ON_DEMAND).filter((each) => !known.includes(each));
  const alias = Object.hasOwn(ALIASES, scheme) ? ALIASES[scheme] : undefined;
  const meant = alias === undefined ? didYouMean(scheme, [...known, ...others]) : `; did you mean "${alias}"?`;
  const remedy = 'write dns:///host:port for a host, static:///host:port,host:port for several';
  const more = others.length === 0 ? '' : `; sub-paths of the package add ${others.join(', ')}`;
  return {
    path: 'scheme',
    message: `is ${shown(scheme)}, which is unknown${meant}; use one of ${known.join(', ')}: ${remedy}${more}`,
  };
}

/** Usually a missing slash: `dns://orders:50051` has the authority `orders:50051`, and nothing to look up. */
function noPath({ scheme, authority, uri }: Target): Fault {
  if (hasSecrets(uri)) return { path: 'path', message: `is empty; write ${scheme}:/// and a name, without secrets` };
  const remedy =
    authority === ''
      ? `write what to look up, as in ${scheme}:///orders:50051`
      : `write ${scheme}:///${authority}, with three slashes`;
  return { path: 'path', message: `is empty; ${remedy}` };
}
