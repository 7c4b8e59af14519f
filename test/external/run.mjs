/**
 * `npm run test:external [PART] -- [options]`: the tests that need Debian packages, or those of one part.
 *
 *   discovery                    knot; kubectl if it is there
 *   interop [--minutes 10]       python3-grpcio, grpc-proto; GO_PEERS for grpc-go. Streams are quiet for that long.
 *   observability [--pictures]   prometheus
 *   page [--screenshot]          chromium, or its path in CHROMIUM
 *   proxy                        haproxy, nginx-light, nghttp2-proxy
 *
 * vitest refuses options that are not its own, so these reach the tests by the environment.
 */
import { parseArgs } from 'node:util';
import { startVitest } from 'vitest/node';

const PARTS = ['discovery', 'interop', 'observability', 'page', 'proxy'];
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { minutes: { type: 'string' }, pictures: { type: 'boolean' }, screenshot: { type: 'boolean' } },
});
let [part = '', file = ''] = positionals;
if (part !== '' && !PARTS.includes(part)) {
  process.stderr.write(`There is no part "${part}": npm run test:external [${PARTS.join(' | ')}] -- [options]\n`);
  process.exit(1);
}
// Each of these options is for one file or part.
if (values.minutes !== undefined) {
  process.env.PINGS_MINUTES = values.minutes;
  [part, file] = ['interop', 'pings.test.ts'];
}
if (values.pictures) {
  process.env.DASHBOARD_PICTURES = 'yes';
  [part, file] = ['observability', 'pictures.test.ts'];
}
if (values.screenshot) {
  process.env.PAGE_SCREENSHOT = 'yes';
  part = 'page';
}
const vitest = await startVitest('test', [`test/external/${part && `${part}/`}${file}`], {
  run: true,
  config: 'test/external/vitest.config.ts',
});
await vitest.close();
