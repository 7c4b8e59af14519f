/** Some of the backends, in a process of their own: `backend-process.js <proto> <first> <count>`. */
import { performance } from 'node:perf_hooks';
import { loadSync } from '@grpc/proto-loader';
import { callsOf } from '../model/calls.js';
import { Backend } from './backend.js';
import { Lateness } from './lateness.js';
import type { FromBackends, ToBackends } from './messages.js';
import { sharedNow } from './shared-clock.js';

const [proto, first, count] = [process.argv[2]!, Number(process.argv[3]), Number(process.argv[4])];
const definition = loadSync(proto, { defaults: true });
const lateness = new Lateness();
const backends = Array.from({ length: count }, (_, i) => new Backend(first + i, definition, lateness));
let before = performance.eventLoopUtilization();

process.on('message', (message: ToBackends) => {
  if (message.type === 'begin') {
    const { firstMeasured } = callsOf(message.spec);
    for (const backend of backends) backend.begin(message.spec, message.startsAt, firstMeasured);
    setTimeout(
      () => {
        lateness.reset();
        before = performance.eventLoopUtilization();
      },
      message.startsAt + message.spec.warmUp * 1000 - sharedNow(),
    );
    tell({ type: 'begun' });
    return;
  }
  for (const backend of backends) backend.stop();
  tell({
    type: 'seen',
    counts: backends.map((backend) => backend.count),
    lateness: lateness.summary(),
    busy: performance.eventLoopUtilization(before).utilization,
  });
});
process.on('disconnect', () => process.exit());

tell({ type: 'listening', addresses: await Promise.all(backends.map((backend) => backend.listen())) });

function tell(message: FromBackends): void {
  process.send!(message);
}
