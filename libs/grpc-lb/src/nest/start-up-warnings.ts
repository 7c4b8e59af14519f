import { printable } from '../core/printable.js';
import { authorityOf } from '../grpc/channel/default-authority.js';
import { splitHostPort } from '../grpc/experimental.js';
import { KEEP_ONE_COPY, loadedCopies } from '../grpc/process/loaded-copies.js';
import { environmentProxy } from '../grpc/process/proxy.js';
import type { GrpcLbClientOptions } from './client-options.js';
import { targetWarnings } from './target-warnings.js';
import { targetOf } from './url.js';

type Environment = Readonly<Record<string, string | undefined>>;

/** A client with its effective options. */
export interface StartingClient {
  readonly name: string;
  readonly options: GrpcLbClientOptions;
}

/** What the doctor finds about the process itself, without a connection. */
export function startUpWarnings(
  environment: Environment,
  clients: readonly StartingClient[],
  copies: readonly string[] = loadedCopies(),
): string[] {
  const warnings: string[] = [];
  if (copies.length > 1) {
    warnings.push(
      `${copies.length} copies of @grpc/grpc-js are loaded, ${copies.join(' and ')}; one does not accept credentials or metadata of another; ${KEEP_ONE_COPY}`,
    );
  }
  for (const { name, options } of clients) {
    const warning = proxyWarning(environment, options);
    const found = [...(warning === undefined ? [] : [warning]), ...targetWarnings(options)];
    warnings.push(...found.map((each) => `client ${name}: ${each}`));
  }
  return warnings.map((warning) => printable(warning, 2000));
}

/** A proxy that is used is a warning; one that is not used, only if it is meant for gRPC. */
function proxyWarning(environment: Environment, options: GrpcLbClientOptions): string | undefined {
  const target = options.targets?.[0] ?? targetOf(options);
  if (target === undefined) return undefined;
  const authority = authorityOf(target);
  const host = splitHostPort(authority)?.host ?? authority;
  const proxy = environmentProxy(environment, host);
  if (!proxy || proxy.exception !== undefined) return undefined;
  const { variable, url } = proxy;
  if ((options.channelOptions?.['grpc.enable_http_proxy'] ?? 0) !== 0) {
    return (
      `${variable} is ${url}, and grpc.enable_http_proxy is on, so grpc-js connects to the proxy in place of ${host}, ` +
      'and the proxy chooses the backend; add the host to no_grpc_proxy, or remove the option'
    );
  }
  if (variable !== 'grpc_proxy') return undefined;
  return (
    `grpc_proxy is ${url} and has no effect, because a proxy would replace discovery; ` +
    'if endpoints are reached only through it, set channelOptions["grpc.enable_http_proxy"] to 1, else add the host to no_grpc_proxy'
  );
}
