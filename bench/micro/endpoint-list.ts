/** What a list from discovery costs before any member is touched: duplicates, priorities, zones. */
import { bench, do_not_optimize } from 'mitata';
import { byAddress, byPriority } from '../../libs/grpc-lb/src/core/balancing/members/priority-members.js';
import type { Endpoint } from '../../libs/grpc-lb/src/core/endpoint.js';
import { runAndPrint } from './print.js';

const endpoint = (i: number): Endpoint => ({
  address: { host: `10.0.${i >> 8}.${i & 255}`, port: 50051 },
  locality: { zone: 'abc'.charAt(i % 3) },
});

for (const size of [10, 100, 1000]) {
  const list = Array.from({ length: size }, (_, i) => endpoint(i));
  bench(`${size} endpoints: group a list`, () => do_not_optimize(byPriority(byAddress(list).values(), undefined)));
  bench(`${size} endpoints: group a list, by zone`, () => do_not_optimize(byPriority(byAddress(list).values(), 'a')));
}

await runAndPrint('endpoint-list');
