import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { seededRandom } from '../../core/random.js';
import { MemorySource, settled } from '../../../../../test/support/kubernetes/memory.js';
import { slice } from '../../../../../test/support/kubernetes/slices.js';
import { ApiError } from './slice-api.js';

/**
 * Whatever happens to slices and connections, the source converges to the state of the API server, and never
 * reports a list that the API server never had on the way.
 */

type Step =
  | { readonly kind: 'put'; readonly name: string; readonly pods: readonly number[] }
  | { readonly kind: 'delete'; readonly name: string }
  | { readonly kind: 'fail'; readonly status: number }
  | { readonly kind: 'wait'; readonly ms: number }
  | { readonly kind: 'compact' | 'end' | 'cut' | 'expire' | 'bookmark' | 'refresh' | 'down' | 'up' | 'garbage' };

const name = fc.constantFrom('a', 'b', 'c');
const plain = ['compact', 'end', 'cut', 'expire', 'bookmark', 'refresh', 'down', 'up', 'garbage'] as const;
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant('put' as const), name, pods: fc.array(fc.nat(5), { maxLength: 4 }) }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('delete' as const), name }) },
  fc.record({ kind: fc.constant('fail' as const), status: fc.constantFrom(401, 403, 404, 410, 429, 500, 503, 504) }),
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('wait' as const), ms: fc.nat(20_000) }) },
  { weight: 5, arbitrary: fc.record({ kind: fc.constantFrom(...plain) }) },
);

/** What the API server has: the addresses in all slices, each once. */
function modelOf(source: MemorySource): string[] {
  const all = source.api.store.objects.flatMap(({ endpoints }) => (endpoints ?? []) as { addresses: string[] }[]);
  return [...new Set(all.map(({ addresses }) => addresses[0]!))].toSorted();
}

async function take(source: MemorySource, each: Step): Promise<void> {
  const { api } = source;
  switch (each.kind) {
    case 'put':
      return void api.store.apply(slice({ name: each.name, pods: each.pods.map((pod) => `10.0.0.${pod}`) }));
    case 'delete':
      return void api.store.delete(each.name);
    case 'fail':
      return void api.failures.push(new ApiError(each.status, String(each.status)));
    case 'wait':
      return source.advance(each.ms);
    case 'compact':
      return api.store.compact();
    case 'end':
      return api.endWatches();
    case 'cut':
      return api.endWatches(new Error('read ECONNRESET'));
    case 'expire':
      return api.send({ type: 'ERROR', object: { code: 410, reason: 'Expired' } });
    case 'bookmark':
      api.store.tick();
      return api.send({ type: 'BOOKMARK', object: { metadata: { resourceVersion: String(api.store.version) } } });
    case 'refresh':
      return source.source.refresh();
    case 'down':
      api.down = new Error('connect ECONNREFUSED');
      return api.endWatches(new Error('read ECONNRESET'));
    case 'up':
      api.down = undefined;
      return;
    case 'garbage':
      return api.send({ type: 'NONSENSE' });
  }
}

test('after any sequence of changes, expiries, disconnects and errors the last list is that of the API server', async () => {
  const property = fc.asyncProperty(
    fc.array(fc.tuple(step, fc.boolean()), { maxLength: 40 }),
    fc.nat(),
    async (steps, seed) => {
      const source = new MemorySource(seededRandom(seed));
      const had = new Set<string>(['[]']);
      source.api.store.apply(slice({ name: 'a', pods: ['10.0.0.9'] }));
      had.add(JSON.stringify(modelOf(source)));
      await source.start();
      for (const [each, pause] of steps) {
        await take(source, each);
        had.add(JSON.stringify(modelOf(source)));
        if (pause) await settled();
      }
      source.api.down = undefined;
      source.api.failures.length = 0;
      await settled();
      // The longest pause there can be.
      await source.advance(36_000);
      // A Service without slices is an error if they may only be invisible to the client.
      const empty = source.api.store.objects.length === 0;
      expect([modelOf(source), ...(empty ? [source.last] : [])]).toContainEqual(source.last);
      for (const list of source.lists) expect(had).toContain(JSON.stringify(list));

      // The source is alive: the next change is reported in its turn.
      source.api.store.apply(slice({ name: 'z', pods: ['10.0.0.7'] }));
      expect(source.last).toEqual(modelOf(source));
      source.source.stop();
      await settled();
      expect(source.clock.pendingTimers).toBe(0);
      expect(source.api.watches.size).toBe(0);
    },
  );
  await fc.assert(property, { seed: Number(process.env['FAST_CHECK_SEED'] ?? 1), numRuns: 300 });
});
