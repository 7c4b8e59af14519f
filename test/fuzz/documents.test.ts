import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { checkEndpoints } from '../../libs/grpc-lb/src/core/endpoint-check.js';
import { readDocument } from '../../libs/grpc-lb/src/discovery/file/document.js';
import { readEndpoints } from '../../libs/grpc-lb/src/discovery/file/endpoint-list.js';
import { answerOf, fuzz } from './fuzz.js';
import { host, jsonText, looseList, looseObject, mostly, port, textOf } from './texts.js';

function read(text: string, format: 'json' | 'yaml'): void {
  const list = answerOf(() => readEndpoints(readDocument(text, format)));
  if (!list) return;
  expect(checkEndpoints(list.endpoints).dropped).toBe(0);
  expect(list.warning.length).toBeLessThan(5000);
}

const address = fc.tuple(host, port).map(([name, number]) => `${name}:${number}`);
const entry = fc.oneof(
  mostly(address),
  looseObject({ address, weight: fc.integer(), priority: fc.integer(), zone: host, region: host, subZone: host }),
);
const documents = jsonText(fc.oneof(looseList(entry), looseObject({ endpoints: looseList(entry) })));

test(
  'a JSON file yields endpoints or a reason',
  fuzz(documents, (text) => read(text, 'json')),
);

// JSON is YAML, except where it has been damaged.
test(
  'a YAML file yields endpoints or a reason',
  fuzz(documents, (text) => read(text, 'yaml')),
);

const words = 'endpoints: a:1 10.0.0.1:50051 *a [ ] { } " \' # <<: ~ .nan 0x1 true'.split(' ');
const withSpaces = ['address: ', 'weight: 3', 'zone: a', '&a ', ', ', ': ', '? ', '- ', '!!binary ', '!x '];
const lines = ['\n', '\n  ', '\n- ', '|\n', '>-\n', '---\n', '...\n', '%YAML 1.1\n', '%TAG ! x\n'];
const pieces = textOf([...words, ...withSpaces, ...lines, '\t', '\u0000', '\ufeff', '\u2028']);

test(
  'random YAML tokens yield endpoints or a reason',
  fuzz(pieces, (text) => read(text, 'yaml')),
);
