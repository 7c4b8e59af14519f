import { join } from 'node:path';

/** `page-directory.ts` for CommonJS. */
export const pageDirectory: string = join(__dirname, '../page');
