import { describe, expect, it, test } from 'vitest';
import { cpuTime } from '../../../../../test/support/time/cpu-time.js';
import { addressToString } from '../../core/endpoint.js';
import { GRPC_PORT, slice, type SliceSpec } from '../../../../../test/support/kubernetes/slices.js';
import { type AddressFamily, readSlice, type Slice } from './endpoint-slice.js';
import { mergeSlices } from './merge-slices.js';

function read(spec: SliceSpec): Slice {
  const warnings: string[] = [];
  const result = readSlice(slice(spec), (text) => warnings.push(text));
  if (typeof result === 'string') throw new Error(result);
  expect(warnings).toEqual([]);
  return result;
}

function merged(
  specs: readonly SliceSpec[],
  port: string | number = 'grpc',
  preferred: AddressFamily = 'IPv4',
): unknown {
  const result = mergeSlices(specs.map(read), port, preferred);
  return 'problem' in result ? result.problem : result.endpoints.map(({ address }) => addressToString(address));
}

const one = (pods: SliceSpec['pods'], more: Partial<SliceSpec> = {}): SliceSpec => ({ name: 'a', pods, ...more });

describe('conditions', () => {
  it.each([
    ['ready', {}, true],
    ['of unknown readiness, which counts as ready', { ready: null }, true],
    ['not ready', { ready: false, serving: false }, false],
    ['terminating and serving', { ready: false, serving: true, terminating: true }, false],
    ['terminating, although it says ready (publishNotReadyAddresses)', { ready: true, terminating: true }, false],
  ])('a pod that is %s', (_, conditions, used) => {
    const all = merged([one(['10.0.0.9', { ip: '10.0.0.1', ...conditions }])]);
    expect(all).toEqual(used ? ['10.0.0.1:50051', '10.0.0.9:50051'] : ['10.0.0.9:50051']);
  });

  test('pods that terminate are used if there are no others, as kube-proxy does, but only while they serve', () => {
    const leaving = { ready: false, terminating: true };
    const pods = [
      { ip: '10.0.0.1', ...leaving, serving: true },
      { ip: '10.0.0.2', ...leaving, serving: false },
      { ip: '10.0.0.3', ready: false, serving: false },
    ];
    expect(merged([one(pods)])).toEqual(['10.0.0.1:50051']);
    expect(merged([one([...pods, '10.0.0.4'])])).toEqual(['10.0.0.4:50051']);
  });
});

describe('several slices', () => {
  test('are merged into one list of distinct addresses in a stable order', () => {
    const specs = [one(['10.0.0.3', '10.0.0.1']), one(['10.0.0.2', '10.0.0.3'], { name: 'b' })];
    expect(merged(specs)).toEqual(['10.0.0.1:50051', '10.0.0.2:50051', '10.0.0.3:50051']);
    expect(merged(specs.toReversed())).toEqual(merged(specs));
  });

  test('an outdated copy does not bring a terminating pod back', () => {
    const leaving = { ip: '10.0.0.1', ready: false, serving: true, terminating: true };
    const specs = [one(['10.0.0.1', '10.0.0.2']), one([leaving], { name: 'b' })];
    expect(merged(specs)).toEqual(['10.0.0.2:50051']);
    expect(merged(specs.toReversed())).toEqual(['10.0.0.2:50051']);
  });

  test('an address reused by a new pod belongs to the new pod', () => {
    const old = { ip: '10.0.0.1', uid: 'old', ready: false, serving: true, terminating: true };
    const young = { ip: '10.0.0.1', uid: 'new' };
    expect(merged([one([old]), one([young], { name: 'b' })])).toEqual(['10.0.0.1:50051']);
  });
});

describe('dual stack', () => {
  const four = one(['10.0.0.1']);
  const six = one(['fd00:0:0::1'], { name: 'b', addressType: 'IPv6' });

  test('the preferred family alone is used', () => {
    expect(merged([four, six])).toEqual(['10.0.0.1:50051']);
    expect(merged([four, six], 'grpc', 'IPv6')).toEqual(['[fd00::1]:50051']);
  });

  test('the other family is used if it is the only one', () => {
    expect(merged([six])).toEqual(['[fd00::1]:50051']);
    expect(merged([four], 'grpc', 'IPv6')).toEqual(['10.0.0.1:50051']);
  });

  test('the other family does not step in briefly when the slices of the preferred one empty first', () => {
    expect(merged([one([]), six])).toEqual([]);
  });
});

describe('ports', () => {
  const metrics = { name: 'metrics', port: 9090, protocol: 'TCP' };

  test('are found by name, which may map to a different number in each slice', () => {
    const second = one(['10.0.0.2'], { name: 'b', ports: [{ name: 'grpc', port: 6000 }] });
    expect(merged([one(['10.0.0.1'], { ports: [metrics, GRPC_PORT] }), second])).toEqual([
      '10.0.0.1:50051',
      '10.0.0.2:6000',
    ]);
  });

  test('are found by the number that the pods listen on', () => {
    const second = one(['10.0.0.2'], { name: 'b', ports: [{ name: 'grpc', port: 6000 }] });
    expect(merged([one(['10.0.0.1']), second], 6000)).toEqual(['10.0.0.2:6000']);
  });

  test('a missing port is a problem that lists the existing ones', () => {
    expect(merged([one(['10.0.0.1'], { ports: [metrics, GRPC_PORT] })], 80)).toBe(
      'it has no port 80 (its TCP ports: grpc = 50051, metrics = 9090); write its name, or the port that the pods ' +
        'listen on (targetPort), which may differ from the port of the Service',
    );
    expect(merged([one(['10.0.0.1'])], 'http')).toMatch(/no port "http" \(its TCP ports: grpc = 50051\); write one/);
  });

  test('UDP ports and ports with invalid numbers are ignored', () => {
    const ports = [
      { name: 'grpc', port: 50051, protocol: 'UDP' },
      { name: 'grpc', port: 0 },
      { name: 'grpc', port: '50051' },
    ];
    expect(merged([one(['10.0.0.1'], { ports })])).toMatch(/no port "grpc" \(its TCP ports: none\)/);
  });

  test('a Service without ports (headless) or with an unset port accepts every number', () => {
    expect(merged([one(['10.0.0.1'], { ports: null })], 7)).toEqual(['10.0.0.1:7']);
    expect(merged([one(['10.0.0.1'], { ports: [{ name: '', port: null }] })], 7)).toEqual(['10.0.0.1:7']);
    expect(merged([one(['10.0.0.1'], { ports: null })], 'grpc')).toMatch(/no port "grpc"/);
  });

  test('a Service scaled down to zero has no ports, which is not a problem', () => {
    expect(merged([one([], { ports: null })])).toEqual([]);
    expect(merged([one([], { ports: null })], 80)).toEqual([]);
  });
});

test('zone and node are the locality', () => {
  const slices = [
    read(
      one([
        { ip: '10.0.0.1', zone: 'eu-1a', node: 'node-7' },
        { ip: '10.0.0.2', zone: 'eu-1b' },
      ]),
    ),
  ];
  expect(mergeSlices(slices, 'grpc', 'IPv4')).toEqual({
    endpoints: [
      { address: { host: '10.0.0.1', port: 50051 }, locality: { zone: 'eu-1a', subZone: 'node-7' } },
      { address: { host: '10.0.0.2', port: 50051 }, locality: { zone: 'eu-1b' } },
    ],
  });
});

test('slices of host names are a problem', () => {
  expect(merged([one(['db.example.com'], { addressType: 'FQDN' })])).toBe(
    'its EndpointSlices hold host names instead of IP addresses',
  );
});

test('1000 endpoints in ten slices are merged in less than 5 ms of CPU', () => {
  const slices = Array.from({ length: 10 }, (_, i) =>
    read(
      one(
        Array.from({ length: 100 }, (_each, j) => `10.0.${i}.${j + 1}`),
        { name: `slice-${i}` },
      ),
    ),
  );
  const times = Array.from({ length: 20 }, () => cpuTime(() => mergeSlices(slices, 'grpc', 'IPv4')));
  expect(Math.min(...times)).toBeLessThan(5);
});
