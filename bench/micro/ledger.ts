/** What counting costs: a call from its pick to its end, alone and with others under way. */
import { bench } from 'mitata';
import {
  type Counted,
  type CountedEndpoint,
  Ledger,
  Reservation,
} from '../../libs/grpc-lb/src/core/balancing/calls/ledger.js';
import { systemClock } from '../../libs/grpc-lb/src/grpc/context/system-clock.js';
import { runAndPrint } from './print.js';

for (const underWay of [0, 1000]) {
  const ledger = new Ledger<CountedEndpoint, Counted>(systemClock, () => {});
  const [endpoint, connection] = [{ inFlight: 0, streams: 0 }, { inFlight: 0 }];
  for (let i = 0; i < underWay; i++) new Reservation(ledger, endpoint, connection).start();
  bench(`ledger: reserve, start and end, ${underWay} others under way`, () => {
    const call = new Reservation(ledger, endpoint, connection);
    call.start();
    call.end();
  });
}

// As when credentials are awaited: a hundred are picked before the first one starts.
const ledger = new Ledger<CountedEndpoint, Counted>(systemClock, () => {});
const [endpoint, connection] = [{ inFlight: 0, streams: 0 }, { inFlight: 0 }];
bench('ledger: a hundred reserved, then started and ended', () => {
  const calls = Array.from({ length: 100 }, () => new Reservation(ledger, endpoint, connection));
  for (const call of calls) call.start();
  for (const call of calls) call.end();
});

await runAndPrint('ledger');
