/** `npm run test:page [-- --screenshot]`. vitest refuses flags of others, so this one goes by the environment. */
import { parseArgs } from 'node:util';
import { startVitest } from 'vitest/node';

const { values } = parseArgs({ options: { screenshot: { type: 'boolean', default: false } } });
process.env.PAGE_SCREENSHOT = values.screenshot ? 'yes' : '';
// For the picture, the page alone.
const vitest = await startVitest('test', values.screenshot ? ['page.test.ts'] : [], {
  run: true,
  config: 'test/external/page/vitest.config.ts',
});
await vitest.close();
