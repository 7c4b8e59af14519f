import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** This folder in the repository, also from the compiled copy in `dist`. */
export const FOLDER = join(repository(dirname(fileURLToPath(import.meta.url))), 'deploy/observability');

function repository(folder: string): string {
  return existsSync(join(folder, 'CHANGELOG.md')) ? folder : repository(dirname(folder));
}
