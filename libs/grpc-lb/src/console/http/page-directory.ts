import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * The folder of the page's files. `page-directory.cts` is the same where a test runner makes CommonJS of this package,
 * which has no `import.meta`: `imports` of package.json chooses.
 */
export const pageDirectory: string = join(dirname(fileURLToPath(import.meta.url)), '../page');
