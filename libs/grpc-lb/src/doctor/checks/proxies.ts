import { isIPv4, BlockList } from 'node:net';
import { splitHostPort } from '../../grpc/experimental.js';
import type { Site } from '../site.js';

/** In the order in which grpc-js looks for them; it reads none in upper case. */
const PROXIES = ['grpc_proxy', 'https_proxy', 'http_proxy'];
const EXCEPTIONS = ['no_grpc_proxy', 'no_proxy'];

/** Compares the proxies of the environment with the options of the client. */
export function examineProxies({ exam, options, client, authority }: Site, reached: boolean): void {
  const { env } = options;
  const variable = PROXIES.find((name) => env[name]);
  if (variable === undefined) return exam.pass('proxies', `none of ${PROXIES.join(', ')} is set`);
  const host = splitHostPort(authority)?.host ?? authority;
  const proxy = `${variable} is ${withoutUser(env[variable]!)}`;
  const exception = EXCEPTIONS.find((name) => env[name]);
  if (exception !== undefined && env[exception]!.split(',').some((each) => isExcepted(host, each)))
    return exam.pass('proxies', `${proxy}, and ${exception} excepts ${host}`);
  if (client.channelOptions['grpc.enable_http_proxy'] === 0) {
    const evidence = `${proxy}, and grpc.enable_http_proxy is 0, the default of this package: connections are direct`;
    exam.find('proxies', 'proxy-ignored', { evidence, ...(!reached && { severity: 'warning' }) });
  } else {
    const evidence = `${proxy}, and grpc.enable_http_proxy is on: grpc-js connects to the proxy in place of ${host}`;
    exam.find('proxies', 'proxy-used', { evidence, certainty: 'likely' });
  }
}

/** As grpc-js does: a CIDR of IPv4, or the end of a name. */
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
