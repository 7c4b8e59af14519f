/**
 * Targets of the form `file:///path`: a list of endpoints in a file that is watched.
 *
 * @example
 * ```ts
 * registerFile();
 * ```
 *
 * @packageDocumentation
 */

import type { EndpointSourceFactory } from '../../core/endpoint-source.js';
import { registerEndpointSource } from '../registry.js';
import { effectiveFileOptions, type FileSourceOptions } from './file-options.js';
import { FileSource } from './file-source.js';
import { readFileTarget } from './file-target.js';
import { NodeFile } from './watched-file.js';

export type { Cancel, Clock } from '../../core/clock.js';
export type { Address, Endpoint, Locality as EndpointLocality, TcpAddress, UnixAddress } from '../../core/endpoint.js';
export type {
  EndpointAnswer,
  EndpointListener,
  EndpointSource,
  EndpointSourceContext,
  EndpointSourceFactory,
  Target,
} from '../../core/endpoint-source.js';
export type { Random as RandomSource } from '../../core/random.js';
export type { FileSourceOptions } from './file-options.js';

/**
 * Creates a factory of sources for `file:///path`.
 *
 * @throws GrpcLbOptionsError that lists all faults of the options.
 */
export function fileSourceFactory(options: FileSourceOptions = {}): EndpointSourceFactory {
  const effective = effectiveFileOptions(options);
  return (target, context) => new FileSource(new NodeFile(readFileTarget(target)), effective, context);
}

/**
 * Registers the source of `file:///path`. Call it before the module is built; the options of the last call apply.
 *
 * @throws GrpcLbOptionsError that lists all faults of the options.
 */
export function registerFile(options?: FileSourceOptions): void {
  registerEndpointSource('file', fileSourceFactory(options), { replace: true });
}
