import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { generated } from './generated.js';
import { FOLDER } from './folder.js';

/**
 * `npm run observability`: writes the dashboards and the rules for the Prometheus operator. `-- --runbooks URL` makes the
 * links of alerts absolute: URL is where this repository's files are shown.
 */
const { values } = parseArgs({ options: { runbooks: { type: 'string', default: '' } } });
for (const [file, text] of generated(values.runbooks)) {
  writeFileSync(join(FOLDER, file), text);
  process.stdout.write(`deploy/observability/${file}\n`);
}
