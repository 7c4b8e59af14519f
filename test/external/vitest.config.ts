import { mergeConfig } from 'vitest/config';
import shared from '../../vitest.config.js';

/** What needs programs beside npm: DNS server, proxy, gRPC of another language, browser. `npm run test:external`. */
const config = mergeConfig(shared, {}) as typeof shared;
delete config.test!.projects;
config.test!.include = ['test/external/**/*.test.ts'];
// A file of `page` starts seven processes, and builds the demo first: two builds at the same time collide.
config.test!.fileParallelism = false;
export default config;
