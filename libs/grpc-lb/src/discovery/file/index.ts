import type { EndpointSourceFactory } from '../../core/endpoint-source.js';
import { registerEndpointSource } from '../registry.js';
import { effectiveFileOptions, type FileSourceOptions } from './file-options.js';
import { FileSource } from './file-source.js';
import { readFileTarget } from './file-target.js';
import { NodeFile } from './watched-file.js';

export type { FileSourceOptions } from './file-options.js';

/** Makes sources for `file:///path`. */
export function fileSourceFactory(options: FileSourceOptions = {}): EndpointSourceFactory {
  const effective = effectiveFileOptions(options);
  return (target, context) => new FileSource(new NodeFile(readFileTarget(target)), effective, context);
}

/** Makes `file:///path` a target. Do it before the module is built; the last options given count. */
export function registerFile(options?: FileSourceOptions): void {
  registerEndpointSource('file', fileSourceFactory(options), { replace: true });
}
