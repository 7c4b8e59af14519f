import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';

// `prepack` copies the documents for users into the package, so that they are at hand without a network, in the version
// that is installed. Measurements, decisions, pictures and the API reference stay in the repository (the reference is in
// the declarations): links to them become text.

const PACKAGE = fileURLToPath(new URL('.', import.meta.url));
const FROM = join(PACKAGE, '../../docs');
const TO = join(PACKAGE, 'docs');
const FOLDERS = ['guide', 'discovery', 'operations', 'reference'];

const pages = ['README.md', ...FOLDERS.flatMap((folder) => pagesIn(folder))];

/** @param {string} folder */
function pagesIn(folder) {
  return readdirSync(join(FROM, folder))
    .filter((name) => name.endsWith('.md'))
    .map((name) => `${folder}/${name}`);
}

/** @param {string} page @param {string} link */
function isInside(page, link) {
  if (/^([a-z]+:|#)/.test(link)) return true;
  return pages.includes(normalize(join(dirname(page), link.split('#')[0])));
}

/** @param {string} page */
function packed(page) {
  const whole = readFileSync(join(FROM, page), 'utf8');
  // The index of the repository goes on with what stays there.
  const text = page === 'README.md' ? whole.slice(0, whole.indexOf('\n## Measurements') + 1) : whole;
  return text
    .split(/^( *```[^]*?^ *```$)/m)
    .map((part, i) => (i % 2 === 1 ? part : withoutLinksAway(page, part)))
    .join('');
}

/** @param {string} page @param {string} text */
function withoutLinksAway(page, text) {
  return text
    .replaceAll(/^!\[[^\]]*\]\([^)]*\)\n\n?/gm, '')
    .replaceAll(/\[((?:[^[\]]|\[[^\]]*\])*)\]\(([^)\s]+)\)/g, (all, words, link) =>
      isInside(page, link) ? all : words,
    );
}

rmSync(TO, { recursive: true, force: true });
for (const page of pages) {
  mkdirSync(dirname(join(TO, page)), { recursive: true });
  writeFileSync(join(TO, page), packed(page));
}
