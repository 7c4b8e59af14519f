import { splitHostPort } from '../../grpc/experimental.js';
import { environmentProxy, PROXY_VARIABLES } from '../../grpc/process/proxy.js';
import type { Site } from '../site.js';

/** Compares the proxies of the environment with the options of the client. */
export function examineProxies({ exam, options, client, authority }: Site, reached: boolean): void {
  const host = splitHostPort(authority)?.host ?? authority;
  const proxy = environmentProxy(options.env, host);
  if (!proxy) return exam.pass('proxies', `none of ${PROXY_VARIABLES.join(', ')} is set`);
  const { variable, url, exception } = proxy;
  if (exception !== undefined) return exam.pass('proxies', `${variable} is ${url}, and ${exception} excepts ${host}`);
  if (client.channelOptions['grpc.enable_http_proxy'] === 0) {
    const evidence = `${variable} is ${url}, and grpc.enable_http_proxy is 0, the default of this package: connections are direct`;
    return exam.find('proxies', 'proxy-ignored', { evidence, ...(!reached && { severity: 'warning' }) });
  }
  const evidence = `${variable} is ${url}, and grpc.enable_http_proxy is on: grpc-js connects to the proxy in place of ${host}`;
  exam.find('proxies', 'proxy-used', { evidence, certainty: 'likely' });
}
