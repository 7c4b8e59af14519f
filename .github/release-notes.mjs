/**
 * `node .github/release-notes.mjs v1.2.3`: prints what CHANGELOG.md says of that version. Fails if the tag is not the
 * version of the package, or if the changelog does not have the version with its date, or nothing about it.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export function releaseNotes(tag, version, changelog) {
  if (tag !== `v${version}`) throw new Error(`the tag ${tag} is not v${version}, the version in package.json`);
  const sections = changelog.split(/^(?=## \[)/m);
  const section = sections.find((each) => each.startsWith(`## [${version}]`));
  if (section === undefined) throw new Error(`CHANGELOG.md has no section "## [${version}] - YYYY-MM-DD"`);
  const [heading, ...lines] = section.split('\n');
  if (!/^## \[[^\]]+\] - \d{4}-\d{2}-\d{2}$/.test(heading)) throw new Error(`CHANGELOG.md: "${heading}" has no date`);
  const notes = lines.join('\n').trim();
  if (notes === '') throw new Error(`CHANGELOG.md says nothing about ${version}`);
  return notes;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const read = (path) => readFileSync(join(import.meta.dirname, '..', path), 'utf8');
  const { version } = JSON.parse(read('libs/grpc-lb/package.json'));
  try {
    process.stdout.write(`${releaseNotes(process.argv[2], version, read('CHANGELOG.md'))}\n`);
  } catch (error) {
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 1;
  }
}
