import { BlockList, isIPv4 } from 'node:net';

type Environment = Readonly<Record<string, string | undefined>>;

/** In the order in which grpc-js looks for them; it reads none in upper case. */
export const PROXY_VARIABLES: readonly string[] = ['grpc_proxy', 'https_proxy', 'http_proxy'];
const EXCEPTION_VARIABLES: readonly string[] = ['no_grpc_proxy', 'no_proxy'];

/** The proxy that grpc-js would use for a host. */
export interface EnvironmentProxy {
  /** As in `https_proxy`. */
  readonly variable: string;
  /** The proxy without user and password. */
  readonly url: string;
  /** The variable that excepts the host; undefined if none does. */
  readonly exception: string | undefined;
}

/** Reads the environment as grpc-js does. */
export function environmentProxy(env: Environment, host: string): EnvironmentProxy | undefined {
  const variable = PROXY_VARIABLES.find((name) => env[name]);
  if (variable === undefined) return undefined;
  const list = EXCEPTION_VARIABLES.find((name) => env[name]);
  const excepted = list !== undefined && env[list]!.split(',').some((each) => isExcepted(host, each));
  return { variable, url: withoutUser(env[variable]!), exception: excepted ? list : undefined };
}

/** A CIDR of IPv4, or the end of a name. */
function isExcepted(host: string, entry: string): boolean {
  const [address = '', length] = entry.split('/');
  if (isIPv4(host) && isIPv4(address) && length !== undefined && /^([0-9]|[12][0-9]|3[0-2])$/.test(length)) {
    const range = new BlockList();
    range.addSubnet(address, Number(length));
    return range.check(host);
  }
  return host.endsWith(entry);
}

/** A proxy may need a password. */
function withoutUser(url: string): string {
  if (!URL.canParse(url)) return 'not a URL';
  const { protocol, host } = new URL(url);
  return `${protocol}//${host}`;
}
