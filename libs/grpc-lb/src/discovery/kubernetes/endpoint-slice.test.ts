import { expect, it, test } from 'vitest';
import { slice } from '../../../../../test/support/kubernetes/slices.js';
import { readSlice } from './endpoint-slice.js';

function read(object: unknown): { result: unknown; warnings: string[] } {
  const warnings: string[] = [];
  return { result: readSlice(object, (text) => warnings.push(text)), warnings };
}

const good = slice({ name: 'orders-1', pods: ['10.0.0.1'] });

it.each([
  [null, /without a name: null/],
  ['text', /without a name: "text"/],
  [{ metadata: {} }, /without a name/],
  [{ metadata: { name: 7 } }, /without a name/],
  [{ ...good, addressType: 'ipv4' }, /orders-1 has the addressType "ipv4", which is unknown/],
  [{ ...good, endpoints: {} }, /orders-1 has ports or endpoints that are not lists/],
  [{ ...good, ports: 'grpc' }, /not lists/],
])('%o is not a slice', (object, fault) => {
  expect(read(object).result).toMatch(fault);
});

it.each([
  ['a wrong type', 7],
  ['nothing', null],
  ['no addresses', { addresses: [] }],
  ['addresses that are null', { addresses: null }],
  ['an address that is a number', { addresses: [10] }],
  ['a host name', { addresses: ['orders.example.com'] }],
  ['an address of the other family', { addresses: ['fd00::1'] }],
  ['four numbers that are no address', { addresses: ['10.0.0.300'] }],
])('an entry with %s is left out with a warning, and the others are used', (_, entry) => {
  const { result, warnings } = read({ ...good, endpoints: [entry, ...(good.endpoints ?? [])] });
  expect(result).toMatchObject({ endpoints: [{ host: '10.0.0.1' }] });
  expect(warnings).toEqual([expect.stringMatching(/^EndpointSlice orders-1: .* has no IPv4 address, and is ignored$/)]);
});

test('conditions, zones and ports of wrong types count as missing', () => {
  const endpoint = { addresses: ['10.0.0.1'], conditions: 'yes', zone: 7, nodeName: {}, targetRef: [] };
  const { result, warnings } = read({ ...good, ports: [7, null, { port: 'x' }], endpoints: [endpoint] });
  expect(result).toMatchObject({ endpoints: [{ condition: 'ready', zone: undefined, node: undefined }] });
  expect(warnings).toEqual([]);
});

test('lists that are null or missing are empty, as Go writes them', () => {
  expect(read({ ...good, ports: null, endpoints: undefined }).result).toMatchObject({ ports: [], endpoints: [] });
});

test('an unknown serving condition defaults to ready', () => {
  const conditions = (more: object): object => ({
    addresses: ['10.0.0.1'],
    conditions: { terminating: true, ...more },
  });
  const conditionOf = (more: object): unknown => read({ ...good, endpoints: [conditions(more)] }).result;
  expect(conditionOf({ ready: true })).toMatchObject({ endpoints: [{ condition: 'terminating-serving' }] });
  expect(conditionOf({ ready: false })).toMatchObject({ endpoints: [{ condition: 'unusable' }] });
  expect(conditionOf({ ready: false, serving: null })).toMatchObject({ endpoints: [{ condition: 'unusable' }] });
});
