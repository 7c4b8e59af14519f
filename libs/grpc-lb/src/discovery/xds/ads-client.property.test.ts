import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { FakeAds, resource } from '../../../../../test/support/xds/fake-ads.js';
import { FakeClock } from '../../../../../test/support/time/fake-clock.js';
import { seededRandom } from '../../core/random.js';
import { AdsClient } from './ads-client.js';
import { EDS_TYPE_URL } from './eds-messages.js';
import type { LoadAssignment } from './load-assignment.js';

// A fixed seed keeps failures reproducible; set FAST_CHECK_SEED to try another one.
fc.configureGlobal({ seed: Number(process.env['FAST_CHECK_SEED'] ?? 1) });

const NAMES = ['a', 'b', 'c'] as const;
type Name = (typeof NAMES)[number];

type Step =
  | { readonly kind: 'push'; readonly names: readonly Name[]; readonly ports: readonly number[] }
  | { readonly kind: 'push_bad'; readonly bad: Name; readonly good: Name; readonly port: number }
  | { readonly kind: 'push_garbage' | 'disconnect' | 'refuse' | 'accept' }
  | { readonly kind: 'wait'; readonly ms: number }
  | { readonly kind: 'watch' | 'unwatch'; readonly name: Name };

const name = fc.constantFrom(...NAMES);
const port = fc.integer({ min: 1, max: 5 });
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    kind: fc.constant('push' as const),
    names: fc.uniqueArray(name, { minLength: 1 }),
    ports: fc.uniqueArray(port),
  }),
  fc.record({ kind: fc.constant('push_bad' as const), bad: name, good: name, port }),
  fc.record({
    kind: fc.constantFrom('push_garbage' as const, 'disconnect' as const, 'refuse' as const, 'accept' as const),
  }),
  fc.record({ kind: fc.constant('wait' as const), ms: fc.integer({ min: 1, max: 40_000 }) }),
  fc.record({ kind: fc.constantFrom('watch' as const, 'unwatch' as const), name }),
);

const endpoints = (ports: readonly number[]) => [{ endpoints: ports.map((each) => ({ port: each })) }];
const portsOf = (assignment: LoadAssignment): number[] =>
  assignment.endpoints.map(({ address }) => ('port' in address ? address.port : 0));

test('whatever happens, each watcher has the last good list that was pushed while it watched, and each ACK or NACK is right', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60 }), fc.integer(), async (steps, seed) => {
      const clock = new FakeClock();
      const ads = new FakeAds();
      const client = new AdsClient(
        {
          uri: 'cp',
          node: { id: 'n', cluster: '', user_agent_name: '' },
          open: ads.open,
          resourceTimeout: 15_000,
          maxReconnectBackoff: 30_000,
        },
        { clock, random: seededRandom(seed) },
      );
      const have = new Map<Name, readonly number[] | undefined>();
      const expected = new Map<Name, readonly number[] | undefined>();
      const unwatch = new Map<Name, () => void>();
      /** The last version that this stream accepted. */
      let version = '';

      const push = (lists: readonly (readonly [Name, readonly number[]])[], good: boolean, garbage = false): void => {
        if (!ads.listener) return;
        const resources = lists.map(([each, ports]) => resource(each, endpoints(ports)));
        if (garbage) resources.push({ type_url: EDS_TYPE_URL, value: Buffer.from([0xff]) });
        for (const [each, ports] of lists) if (!ports.includes(0) && unwatch.has(each)) expected.set(each, ports);
        const before = ads.requests.length;
        ads.respond(resources);
        expect(ads.requests).toHaveLength(before + 1);
        const { version_info, response_nonce, error_detail } = ads.last;
        if (good) version = response_nonce.slice(1);
        expect(version_info).toBe(version);
        expect(error_detail === undefined).toBe(good);
      };

      for (const each of steps) {
        const opened = ads.opened;
        if (each.kind === 'push')
          push(
            each.names.map((one) => [one, each.ports] as const),
            true,
          );
        if (each.kind === 'push_bad' && each.bad !== each.good)
          push(
            [
              [each.bad, [0]],
              [each.good, [each.port]],
            ],
            false,
          );
        if (each.kind === 'push_garbage') push([], false, true);
        if (each.kind === 'disconnect') ads.end();
        if (each.kind === 'refuse') ads.refuse = 'refused';
        if (each.kind === 'accept') ads.refuse = undefined;
        if (each.kind === 'wait') clock.advance(each.ms);
        if (each.kind === 'watch' && !unwatch.has(each.name)) {
          const stop = client.watch(each.name, {
            onAssignment: (assignment) => have.set(each.name, portsOf(assignment)),
            onError: () => {},
          });
          unwatch.set(each.name, stop);
        }
        if (each.kind === 'unwatch') {
          unwatch.get(each.name)?.();
          unwatch.delete(each.name);
          have.delete(each.name);
          expected.delete(each.name);
        }
        await Promise.resolve();
        if (ads.opened > opened || !ads.listener) version = '';
        expect(have).toEqual(expected);
        expect(ads.listener ? ads.last.resource_names : [...unwatch.keys()]).toEqual([...unwatch.keys()]);
      }

      // Whatever happened, the client finds a reachable control plane and requests what is watched.
      ads.refuse = undefined;
      clock.advance(40_000);
      expect(ads.listener !== undefined).toBe(unwatch.size > 0);
      for (const stop of unwatch.values()) stop();
      expect([ads.listener, clock.pendingTimers]).toEqual([undefined, 0]);
    }),
    { numRuns: 500 },
  );
});
