import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { ACTIONS } from './action.js';

const page = readFileSync(new URL('../../../docs/guide/demo.md', import.meta.url), 'utf8');

test('the page of the demo says how a script presses each button', () => {
  const [, paragraph] = /\n\n([^\n]*`POST \/demo\/backends\/<address>\/<action>`[^]*?)\n\n/.exec(page)!;
  const named = [...paragraph!.matchAll(/`([a-z]+)`/g)].map(([, name]) => name);
  expect(new Set(named)).toEqual(new Set(ACTIONS));
});
