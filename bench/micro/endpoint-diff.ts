/** What an answer of discovery costs, before any connection is touched. */
import { bench, do_not_optimize } from 'mitata';
import { diffEndpoints } from '../../libs/grpc-lb/src/core/balancing/members/endpoint-diff.js';
import { addressToString, type Endpoint } from '../../libs/grpc-lb/src/core/endpoint.js';
import { runAndPrint } from './print.js';

const endpoint = (i: number): Endpoint => ({ address: { host: `10.0.${i >> 8}.${i & 255}`, port: 50051 } });

for (const size of [10, 100, 1000]) {
  const list = Array.from({ length: size }, (_, i) => endpoint(i));
  const current = new Map(list.map((each) => [addressToString(each.address), each]));
  const oneOther = [...list.slice(1), endpoint(size)];
  const allOthers = list.map((_, i) => endpoint(size + i));
  bench(`${size} endpoints: difference, nothing new`, () => do_not_optimize(diffEndpoints(current, list)));
  bench(`${size} endpoints: difference, one for one`, () => do_not_optimize(diffEndpoints(current, oneOther)));
  bench(`${size} endpoints: difference, all new`, () => do_not_optimize(diffEndpoints(current, allOthers)));
}

await runAndPrint('endpoint-diff');
