import type { ClientSnapshot } from '../../core/snapshot.js';
import type { Collection } from './collection.js';
import type { Labels } from './series.js';

/** What the throttles of a client do. Methods that it does not declare are together, as a proxy may have many. */
export function collectThrottles({ throttles = [] }: ClientSnapshot, client: Labels, add: Collection['add']): void {
  const byMethod = new Map<string, { refused: number; open: boolean }>();
  for (const { method, declared, state, refused } of throttles) {
    // As in gRFC A66: without the slash at the beginning.
    const name = declared ? method.slice(1) : 'other';
    const known = byMethod.get(name);
    byMethod.set(name, {
      refused: refused + (known?.refused ?? 0),
      open: state !== 'closed' || (known?.open ?? false),
    });
  }
  for (const [method, { refused, open }] of byMethod) {
    const labels = { ...client, 'grpc.method': method };
    add('grpc.lb.throttled', labels, refused);
    add('grpc.lb.throttle.open', labels, Number(open));
  }
}
