import { expect, test } from 'vitest';
import { IndexPage } from './index-page.js';
import { pageFile } from './page-files.js';

const template = pageFile('text/html', '<title>{{title}}</title>{{modules}}<script src="{{base}}assets/main.js">');
const pageAt = (path: string, url: string, title = 'a < b'): string =>
  new IndexPage(template, title, path, ['x.js']).at(url).text;

test.each([
  ['/grpc-lb', '/grpc-lb', '/grpc-lb/assets/main.js'],
  ['/grpc-lb', '/grpc-lb?x=1/', '/grpc-lb/assets/main.js'],
  ['/grpc-lb', '/grpc-lb/', '/grpc-lb/assets/main.js'],
  // Behind a global prefix, and behind a proxy that adds one.
  ['/a/b', '/prefix/a/b', '/prefix/a/b/assets/main.js'],
  ['/', '/', '/assets/main.js'],
])('the files of a page at %s are found from %s', (path, url, script) => {
  const [, src] = /src="([^"]+)"/.exec(pageAt(path, url))!;
  expect(new URL(src!, `http://localhost${url}`).pathname).toBe(script);
});

test('its title is text, and its modules are loaded early', () => {
  expect(pageAt('/', '/')).toContain('<title>a &lt; b</title><link rel="modulepreload" href="./assets/x.js" />');
});

test.each(["$& $` $' $$", '{{modules}} {{base}}'])('nothing in the title %s has a meaning', (title) => {
  const [, shown] = /<title>(.*?)<\/title>/.exec(pageAt('/', '/', title))!;
  expect(shown).toBe(title.replaceAll('&', '&amp;').replaceAll("'", '&#39;'));
});
