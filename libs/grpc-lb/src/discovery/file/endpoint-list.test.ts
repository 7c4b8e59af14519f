import { describe, expect, test } from 'vitest';
import { cpuTime } from '../../../../../test/support/time/cpu-time.js';
import { addressToString } from '../../core/endpoint.js';
import { readDocument } from './document.js';
import { type EndpointList, readEndpoints } from './endpoint-list.js';

const yaml = (text: string): EndpointList => readEndpoints(readDocument(text, 'yaml'));
const json = (content: unknown): EndpointList => readEndpoints(readDocument(JSON.stringify(content), 'json'));
const addresses = ({ endpoints }: EndpointList): string[] => endpoints.map(({ address }) => addressToString(address));

describe('a file', () => {
  const endpoints = [
    { address: { host: '10.0.0.1', port: 50_051 } },
    {
      address: { host: 'orders', port: 1 },
      weight: 2,
      priority: 1,
      locality: { region: 'eu', zone: 'eu-1', subZone: 'rack-7' },
    },
  ];
  const items = [
    '10.0.0.1:50051',
    { address: 'orders:1', weight: 2, priority: 1, region: 'eu', zone: 'eu-1', subZone: 'rack-7' },
  ];

  test.each([
    ['JSON', json({ endpoints: items })],
    ['JSON, a plain list', json(items)],
    ['JSON that is read as YAML', yaml(JSON.stringify({ endpoints: items }))],
    [
      'YAML',
      yaml(`
      # by hand
      version: 7
      endpoints:
        - 10.0.0.1:50051
        - address: orders:1
          weight: 2
          priority: 1
          region: eu
          zone: eu-1
          subZone: rack-7
      `),
    ],
    [
      'YAML, a plain list',
      yaml(
        '- 10.0.0.1:50051\n- {address: "orders:1", weight: 2, priority: 1, region: eu, zone: eu-1, subZone: rack-7}',
      ),
    ],
    [
      'YAML with anchors',
      yaml(
        'zone: &zone eu-1\nendpoints:\n- 10.0.0.1:50051\n- {address: "orders:1", weight: 2, priority: 1, region: eu, zone: *zone, subZone: rack-7}',
      ),
    ],
  ])('may be %s', (_, list) => {
    expect(list).toEqual({ endpoints, warning: '' });
  });

  test('accepts hosts in every notation', () => {
    const list = ['[2001:DB8::0:1]:1', 'BÜCHER.example:2', 'unix:/run/orders.sock', 'unix:///run/b.sock', 'A.b:3'];
    expect(addresses(json(list))).toEqual([
      '[2001:db8::1]:1',
      'xn--bcher-kva.example:2',
      'unix:/run/orders.sock',
      'unix:/run/b.sock',
      'a.b:3',
    ]);
  });

  test('may list an endpoint as degraded', () => {
    const list = yaml(
      '- {address: "a:1", degraded: true}\n- {address: "b:1", degraded: false}\n- {address: "c:1", degraded: 1}',
    );
    expect(list.endpoints.map(({ degraded }) => degraded)).toEqual([true, undefined]);
    expect(list.warning).toBe('entry 3 (line 3) is not used: degraded is 1; use true or false');
  });

  test('may number its zones', () => {
    expect(yaml('- {address: "a:1", zone: 1}').endpoints[0]!.locality).toEqual({ zone: '1' });
  });

  test.each(['[]', 'endpoints: []', '{"endpoints":[]}'])('may be empty if that is explicit: %s', (text) => {
    expect(yaml(text)).toEqual({ endpoints: [], warning: '' });
  });

  test.each([
    ['', 'is empty; for no endpoints write endpoints: []'],
    [' \n\n', 'is empty'],
    ['# nothing yet', 'holds null; write a list, or an object with endpoints'],
    ['endpoints:', 'endpoints is null; use a list ([] for none)'],
    ['endpoints: a:1', 'endpoints is "a:1"'],
    ['endpoint: [a:1]', 'has no endpoints, but "endpoint"; write'],
    ['servers: [a:1]', 'has no endpoints; write a list, or an object with endpoints'],
    ['endpoints: [a:1]\nendpoints: [b:1]', 'has several keys named endpoints; keep one'],
    ['- a:1\n- }', 'is not YAML: Unexpected flow-map-end token in YAML stream: "}" at line 2, column 3'],
    ['endpoints: [a:1', 'is not YAML: Flow sequence in block collection must be sufficiently indented'],
    ['a: 1\n---\nb: 2', 'is not YAML: Source contains multiple documents'],
    ['- a\n- b:x', 'lists no usable endpoint: entry 1 (line 1) is not used: address is "a", without a port'],
  ])('%j gets a specific error', (text, error) => {
    expect(() => yaml(text)).toThrow(error);
  });

  test('that is not JSON is reported as such', () => {
    expect(() => readDocument('{"endpoints":["a:1",', 'json')).toThrow('is not JSON: ');
  });

  test('keeps good entries when others are bad, and reports which and where', () => {
    const list = yaml(
      'endpoints:\n  - a:1\n  - b:0\n\n  - address: c:1\n    weight: 0\n    priority: 128\n    zone: []\n  - d:1\n',
    );
    expect(addresses(list)).toEqual(['a:1', 'd:1']);
    expect(list.warning).toBe(
      'entry 2 (line 3) is not used: address is "b:0", and "0" is not a port; use a whole number from 1 to 65535; ' +
        'entry 3 (line 5) is not used: weight is 0; use a whole number from 1 to 4294967295, ' +
        'priority is 128; use a whole number from 0 to 127, zone is a list; use a string',
    );
  });

  test('keeps an endpoint with an unknown field, and the first of duplicate addresses', () => {
    const list = json(['a:1', { address: 'b:1', wieght: 3 }, { address: 'A:1', weight: 9 }]);
    expect(list.endpoints).toEqual([{ address: { host: 'a', port: 1 } }, { address: { host: 'b', port: 1 } }]);
    expect(list.warning).toBe(
      'entry 2: "wieght" is not an option; did you mean "weight"?; ' +
        'entry 3 is not used: address is "a:1", which is listed above',
    );
  });

  test.each([
    [null],
    [1],
    [[]],
    [['a:1']],
    [{}],
    [{ address: null }],
    [{ localhost: 50_051 }],
    [true],
    ['x'.repeat(1e6)],
  ])('an entry %j is left out', (entry) => {
    const list = json([entry, 'a:1']);
    expect(addresses(list)).toEqual(['a:1']);
    expect(list.warning).toMatch(/^entry 1 is not used: /);
    expect(list.warning.length).toBeLessThan(400);
  });

  test('summarizes a thousand bad entries', () => {
    const list = json(['a:1', ...Array.from({ length: 1000 }, () => 'b:0')]);
    expect(list.warning).toMatch(/; and 997 more$/);
    expect(list.warning.length).toBeLessThan(500);
  });
});

test('nesting counts lists and objects, not strings that look like them', () => {
  const entries = Array.from({ length: 40 }, (_, i) => `- address: "[::1]:${i + 1}"\n  zone: "[{[{- -"\n`);
  expect(yaml(`# ${'[ - '.repeat(50)}\n${entries.join('')}`).endpoints).toHaveLength(40);
});

test('a YAML file of 1500 addresses, and one of 300 with all fields, is small enough', () => {
  expect(yaml(Array.from({ length: 1500 }, (_, i) => `  - 10.0.0.1:${i + 1}\n`).join('')).endpoints).toHaveLength(1500);
  const fields = 'weight: 2\n  priority: 1\n  region: eu-central-1\n  zone: eu-central-1a\n';
  const full = Array.from({ length: 300 }, (_, i) => `- address: 10.0.0.1:${i + 1}\n  ${fields}`);
  expect(yaml(full.join('')).endpoints).toHaveLength(300);
});

test('lines may end as on Windows', () => {
  const lines = Array.from({ length: 1500 }, (_, i) => `  - 10.0.0.1:${i + 1}\r\n`);
  expect(yaml(`endpoints:\r\n\r\n${lines.join('')}`).endpoints).toHaveLength(1500);
});

describe('a hostile JSON file', () => {
  const hostile =
    (text: string): (() => unknown) =>
    () =>
      readEndpoints(readDocument(text, 'json'));

  test.each([
    ['nests lists', '['.repeat(1_000_000), 'has more than 64 nested lists and objects; write a list'],
    ['has many values', `[${'[],'.repeat(330_000)}1]`, 'has more than 262144 values; write a list of endpoints'],
    ['has many keys', `{${Array.from({ length: 90_000 }, (_, i) => `"k${i}":1`).join(',')}}`, 'has no endpoints'],
    ['has a long key', `[{"${'x'.repeat(1_000_000)}":1}]`, 'lists no usable endpoint'],
    [
      'has entries of many unknown fields',
      `[${Array(90)
        .fill(`{${Array.from({ length: 1000 }, (_, i) => `"ad${i}":1`).join(',')}}`)
        .join(',')}]`,
      'lists no usable endpoint',
    ],
  ])('that %s is rejected in bounded time', (_, text, error) => {
    const { user } = process.cpuUsage();
    expect(hostile(text)).toThrow(error);
    expect(process.cpuUsage().user - user).toBeLessThan(1_000_000);
  });
});

describe('a hostile file', () => {
  const levels = 'bcdefghij'
    .split('')
    .map((name, i) => `${name}: &${name} [${Array(9).fill(`*${'abcdefghi'[i]}`).join(',')}]`);

  test.each([
    [
      'multiplies by aliases',
      `a: &a [x,x,x,x,x,x,x,x,x]\n${levels.join('\n')}\nendpoints: [*j]`,
      'Excessive alias count',
    ],
    ['nests lists', '['.repeat(1_000_000), 'has more than 32 levels'],
    ['nests objects in a line', '{ a: '.repeat(200_000), 'has more than 32 levels'],
    ['nests lists without brackets', '- '.repeat(500_000), 'has more than 32 levels'],
    ['nests keys', '? '.repeat(500_000), 'has more than 32 levels'],
    [
      'nests objects',
      Array.from({ length: 1000 }, (_, i) => `${' '.repeat(i)}a:`).join('\n'),
      'has more than 32 levels',
    ],
    [
      'nests values, in lines that end as on Windows',
      Array.from({ length: 40 }, (_, i) => `${' '.repeat(i)}-`).join('\r\n'),
      'has more than 32 levels',
    ],
    ['contains itself', '&a [*a]', 'lists no usable endpoint'],
    [
      'has a million keys',
      Array.from({ length: 60_000 }, (_, i) => `k${i}: 1`).join('\n'),
      'has more than 13334 tokens of YAML; write JSON',
    ],
    ['has an error at each place', '&a '.repeat(2000), 'is not YAML: A node can have at most one anchor'],
    ['has a comma at each place', `[${','.repeat(1_000_000)}]`, 'has more than 13334 tokens of YAML'],
    ['runs code, in other languages', '!!js/function "x"', 'holds "x"'],
    ['reaches for prototypes', '{"__proto__": {"endpoints": ["a:1"]}}', 'has no endpoints'],
    ['repeats a long text', `- &a ${'x'.repeat(500_000)}\n${'- *a\n'.repeat(900)}`, 'lists no usable endpoint'],
  ])('that %s is rejected in bounded time', (_, text, error) => {
    expect(cpuTime(() => expect(() => yaml(text)).toThrow(error))).toBeLessThan(5000);
  });
});
