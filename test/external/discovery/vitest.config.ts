import { mergeConfig } from 'vitest/config';
import shared from '../../../vitest.config.js';

/** What needs real parts from elsewhere, as knot from Debian: `npm run test:discovery`. */
const config = mergeConfig(shared, {}) as typeof shared;
config.test!.include = ['test/external/discovery/**/*.test.ts'];
export default config;
