import * as fc from 'fast-check';
import { expect, test, vi } from 'vitest';
import { checkEndpoints } from '../../libs/grpc-lb/src/core/endpoint-check.js';
import { InstanceReader } from '../../libs/grpc-lb/src/discovery/consul/instances.js';
import { chooseServiceConfig } from '../../libs/grpc-lb/src/discovery/dns/service-config.js';
import { readSlice } from '../../libs/grpc-lb/src/discovery/kubernetes/endpoint-slice.js';
import { LineSplitter } from '../../libs/grpc-lb/src/discovery/kubernetes/line-splitter.js';
import { mergeSlices } from '../../libs/grpc-lb/src/discovery/kubernetes/merge-slices.js';
import { errorFromStatus } from '../../libs/grpc-lb/src/discovery/kubernetes/slice-api.js';
import { readBootstrap } from '../../libs/grpc-lb/src/discovery/xds/bootstrap.js';
import type { Fault } from '../../libs/grpc-lb/src/core/errors.js';
import { faultOfConfig } from '../../libs/grpc-lb/src/grpc/resolver/discovered-config.js';
import { answerOf, fuzz } from './fuzz.js';
import { host, jsonText, looseList, looseObject, mostly, port } from './texts.js';

const name = fc.constantFrom('grpc', 'http', '', 'x');
const flag = fc.boolean();

const slices = looseObject({
  metadata: looseObject({ name: fc.constantFrom('orders-a', 'orders-b') }),
  addressType: fc.constantFrom('IPv4', 'IPv6', 'FQDN'),
  ports: looseList(looseObject({ name, port, protocol: fc.constantFrom('TCP', 'UDP') })),
  endpoints: looseList(
    looseObject({
      addresses: looseList(host),
      conditions: looseObject({ ready: flag, serving: flag, terminating: flag }),
      targetRef: looseObject({ uid: fc.constantFrom('1', '2') }),
      zone: name,
      nodeName: name,
    }),
  ),
});

test(
  'EndpointSlices yield endpoints or a reason',
  fuzz(fc.tuple(fc.array(slices, { maxLength: 3 }), fc.constantFrom('grpc', 50_051)), ([list, wanted]) => {
    const warnings: string[] = [];
    const read = list.map((slice) => readSlice(slice, (text) => warnings.push(text)));
    const good = read.filter((slice) => typeof slice !== 'string');
    const merged = mergeSlices(good, wanted, 'IPv4');
    if ('endpoints' in merged) expect(checkEndpoints(merged.endpoints).dropped).toBe(0);
    const said = [
      ...warnings,
      ...read.filter((slice) => typeof slice === 'string'),
      'problem' in merged ? merged.problem : '',
    ];
    expect(Math.max(...said.map(({ length }) => length))).toBeLessThan(2000);
  }),
);

test(
  'lines are the same however they are split',
  fuzz(fc.array(fc.string({ unit: fc.constantFrom('a', '\n', ' ', 'ü') }), { maxLength: 20 }), (pieces) => {
    const splitter = new LineSplitter(1000);
    const lines = [...pieces, '\n'].flatMap((piece) => splitter.push(piece));
    expect(lines).toEqual(`${pieces.join('')}\n`.split('\n').filter((line) => line.trim() !== ''));
  }),
);

test(
  'an error response of the API server yields an error of bounded size',
  fuzz(fc.anything(), (status) => {
    const error = errorFromStatus(status, 500);
    expect(Number.isInteger(error.status)).toBe(true);
    expect(error.message.length).toBeLessThan(2000);
  }),
);

const instances = looseList(
  looseObject({
    Node: looseObject({ Node: name, Address: host, Datacenter: name, Meta: looseObject({ zone: name }) }),
    Service: looseObject({
      ID: name,
      Address: host,
      Port: port,
      Meta: looseObject({ zone: name }),
      Weights: looseObject({ Passing: port, Warning: port }),
    }),
    Checks: looseList(looseObject({ Status: fc.constantFrom('passing', 'warning', 'critical', 'maintenance') })),
  }),
);

test(
  'an answer of Consul yields endpoints and faults, or a reason',
  fuzz(jsonText(instances), (text) => {
    const answer = answerOf(() => {
      let value: unknown;
      try {
        value = JSON.parse(text);
      } catch {
        return undefined;
      }
      if (!Array.isArray(value)) return undefined;
      const reader = new InstanceReader({ passing: false, near: undefined, zoneKey: 'zone' });
      for (const each of value) reader.add(each);
      return reader.read();
    });
    if (!answer) return;
    expect(checkEndpoints(answer.endpoints).dropped).toBe(0);
    expect(answer.endpoints.length + answer.faulty).toBeLessThanOrEqual(answer.total);
    expect(answer.faults.join().length).toBeLessThan(5000);
  }),
);

const serviceConfig = looseObject({
  loadBalancingConfig: looseList(fc.constantFrom({ round_robin: {} }, { grpc_lb: {} }, { nobody: {} })),
  methodConfig: looseList(
    looseObject({
      name: looseList(looseObject({ service: name, method: name })),
      timeout: fc.constantFrom('1s', '1.5s', '-1s', 'x'),
      waitForReady: flag,
      retryPolicy: looseObject({
        maxAttempts: fc.integer(),
        initialBackoff: fc.constantFrom('1s', '0s'),
        retryableStatusCodes: looseList(fc.constantFrom('UNAVAILABLE', 14, 'X')),
      }),
    }),
  ),
});
const choices = looseList(
  looseObject({
    clientLanguage: looseList(fc.constantFrom('node', 'go')),
    percentage: fc.integer({ max: 101 }),
    clientHostname: looseList(name),
    serviceConfig,
  }),
);
const records = looseList(mostly(jsonText(choices).map((json) => [`grpc_config=${json.slice(0, 5)}`, json.slice(5)])));

test(
  'a service config of DNS is chosen, or yields a fault',
  fuzz(records, (answer) => {
    const { config, fault } = chooseServiceConfig(answer, { hostname: 'x', percentile: 50 });
    expect(config === undefined || fault === undefined).toBe(true);
    expect((fault ?? '').length).toBeLessThan(2000);
    if (config) expect(['string', 'object']).toContain(typeof faultOfConfig(config));
  }),
);

const bootstraps = looseObject({
  xds_servers: looseList(
    looseObject({
      server_uri: host,
      channel_creds: looseList(looseObject({ type: fc.constantFrom('tls', 'insecure'), config: looseObject({}) })),
    }),
  ),
  node: looseObject({
    id: name,
    cluster: name,
    locality: looseObject({ region: name, zone: name }),
    metadata: looseObject({}),
  }),
});

test(
  'a bootstrap is used, or has faults',
  fuzz(jsonText(bootstraps), (text) => {
    vi.stubEnv('GRPC_XDS_BOOTSTRAP', undefined);
    vi.stubEnv('GRPC_XDS_BOOTSTRAP_CONFIG', text);
    try {
      const faults: Fault[] = [];
      const bootstrap = readBootstrap(undefined, faults);
      // Environment variables end at the first NUL.
      if (!text.startsWith('\0') && text !== '') expect(bootstrap === undefined).toBe(faults.length > 0);
      for (const { message } of faults) expect(message.length).toBeLessThan(500);
      for (const server of bootstrap?.xds_servers ?? []) expect(server.server_uri).not.toBe('');
    } finally {
      vi.unstubAllEnvs();
    }
  }),
);
