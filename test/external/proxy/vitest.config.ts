import { mergeConfig } from 'vitest/config';
import shared from '../../../vitest.config.js';

/** What needs haproxy from Debian: `npm run test:proxy`. */
const config = mergeConfig(shared, {}) as typeof shared;
config.test!.include = ['test/external/proxy/**/*.test.ts'];
export default config;
