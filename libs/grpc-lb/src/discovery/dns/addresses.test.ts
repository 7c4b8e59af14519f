import { expect, test } from 'vitest';
import { MAX_ADDRESSES, readAddresses } from './addresses.js';

const read = (...addresses: string[]) =>
  readAddresses(
    addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
    'orders',
  );
const order = (...addresses: string[]): readonly string[] => read(...addresses).hosts;

test('rotated records give the same list', () => {
  const sorted = ['10.0.0.1', '10.0.0.2', '10.0.0.3'];
  expect(order('10.0.0.2', '10.0.0.3', '10.0.0.1')).toEqual(sorted);
  expect(order('10.0.0.3', '10.0.0.1', '10.0.0.2')).toEqual(sorted);
});

test('duplicates are dropped', () => {
  expect(order('10.0.0.2', '10.0.0.1', '10.0.0.2')).toEqual(['10.0.0.1', '10.0.0.2']);
});

test('the family that the resolver put first stays first', () => {
  expect(order('fd00::2', '10.0.0.1', 'fd00::1')).toEqual(['fd00::1', 'fd00::2', '10.0.0.1']);
  expect(order('10.0.0.2', '10.0.0.1', '2001:db8::1')).toEqual(['10.0.0.1', '10.0.0.2', '2001:db8::1']);
  expect(order('200.0.0.1', '2001:db8::1')).toEqual(['200.0.0.1', '2001:db8::1']);
});

test('invalid addresses are dropped, and the warning shows one of them', () => {
  const answer = [
    { address: '10.0.0.1' },
    { address: 'evil; rm -rf' },
    null,
    'x',
    {},
    { address: 1 },
    [],
    { address: '' },
  ];
  expect(readAddresses(answer, 'orders')).toEqual({
    hosts: ['10.0.0.1'],
    warnings: ['"orders" has an invalid address, which is ignored: {"address":"evil; rm -rf"}'],
  });
});

test('a million addresses are truncated to what a DNS message can hold, with a constant warning', () => {
  const million = Array.from({ length: 1_000_000 }, (_, i) => ({
    address: `10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`,
    family: 4,
  }));
  const { hosts, warnings } = readAddresses(million, 'orders');
  expect(hosts).toHaveLength(MAX_ADDRESSES);
  expect(warnings).toEqual(['"orders" has more than 4096 addresses; the first 4096 are used']);
});

test.each([[undefined], [null], ['10.0.0.1'], [{ address: '10.0.0.1' }]])('%j is not a valid answer', (answer) => {
  expect(() => readAddresses(answer, 'orders')).toThrow('not a list of addresses');
});
