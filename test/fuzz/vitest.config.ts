import { mergeConfig } from 'vitest/config';
import shared from '../../vitest.config.js';

/** For long: `npm run test:fuzz`. A part of `npm test` they are too, for some seconds. */
const config = mergeConfig(shared, {}) as typeof shared;
delete config.test!.projects;
config.test!.include = ['test/fuzz/**/*.test.ts'];
export default config;
