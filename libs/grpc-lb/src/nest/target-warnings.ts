import { targetWarning } from '../grpc/channel/target-warning.js';
import { isSecure } from '../grpc/channel/tls-name.js';
import type { GrpcLbClientOptions } from './client-options.js';

/** Of valid targets: what they say is rarely what their author means. */
export function targetWarnings(options: GrpcLbClientOptions): string[] {
  const { targets, target, url } = options;
  return [targets ?? target ?? url ?? []].flat().flatMap((each) => targetWarning(each, usesTls(options)) ?? []);
}

function usesTls({ tls, credentials }: GrpcLbClientOptions): boolean {
  return Boolean(tls) || (credentials !== undefined && isSecure(credentials));
}
