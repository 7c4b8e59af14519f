import { isAbsolute, resolve } from 'node:path';
import type { Target } from '../../core/endpoint-source.js';
import { type Fault, GrpcLbOptionsError } from '../../core/errors.js';
import { shown } from '../../core/options/validation.js';
import { readQuery } from '../query.js';
import { targetSubject } from '../target.js';

/**
 * `file:///etc/orders/endpoints.yaml`, or `file:endpoints.yaml` for a path from the working directory. Escapes are
 * those of URIs: a `?` in a name is `%3F`.
 */
export function readFileTarget(target: Target): string {
  const faults: Fault[] = [];
  const { authority } = target;
  const { path } = readQuery(target.path, {}, faults);
  if (authority !== '' && authority !== 'localhost') {
    const remedy = `write file:///${authority}/${target.path}, with three slashes`;
    faults.push({
      path: 'authority',
      message: `is ${shown(authority)}, but file: reads only local files; ${remedy}`,
    });
  }
  if (path.includes('\0'))
    faults.push({ path: 'path', message: `is ${shown(path)}, with a null character; remove it` });
  if (faults.length > 0) throw new GrpcLbOptionsError(targetSubject(target), faults);
  const fromRoot = target.uri.slice(target.scheme.length + 1).startsWith('//');
  // On Windows file:///C:/endpoints.yaml has the path C:/endpoints.yaml.
  return resolve(fromRoot && !isAbsolute(path) ? `/${path}` : path);
}
