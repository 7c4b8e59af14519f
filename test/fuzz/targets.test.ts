import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { registerConsul } from 'nestjs-grpc-lb/consul';
import { registerFile } from 'nestjs-grpc-lb/file';
import { registerKubernetes } from 'nestjs-grpc-lb/kubernetes';
import { addressToString } from '../../libs/grpc-lb/src/core/endpoint.js';
import { type Fault, GrpcLbOptionsError } from '../../libs/grpc-lb/src/core/errors.js';
import { parseHostPort, readHostPort } from '../../libs/grpc-lb/src/discovery/host-port.js';
import { createEndpointSource, parseTarget } from '../../libs/grpc-lb/src/discovery/index.js';
import { readQuery } from '../../libs/grpc-lb/src/discovery/query.js';
import { FakeClock } from '../support/time/fake-clock.js';
import { fuzz } from './fuzz.js';
import { textOf } from './texts.js';

registerConsul();
registerFile();
registerKubernetes();

const targets = textOf([
  ...'static: dns: dns+srv: kubernetes: consul: file: nobody: // /// / ? & = : . , @ #'.split(' '),
  ...'orders 10.0.0.1 [::1] 50051 grpc ;weight= tag= %41 % %zz'.split(' '),
  ' ',
  '\n',
]);

test(
  'a target yields a source, or an error with a code and a reason',
  fuzz(targets, (text) => {
    const clock = new FakeClock();
    try {
      createEndpointSource(parseTarget(text), { clock, random: () => 0.5 });
    } catch (error) {
      expect(error).toBeInstanceOf(GrpcLbOptionsError);
      const { code, faults } = error as GrpcLbOptionsError;
      expect(code).toBe('GRPC_LB_INVALID_OPTIONS');
      for (const { path, message } of faults) expect((path + message).length).toBeLessThan(1000);
    }
    // A source does nothing before it is started.
    expect(clock.pendingTimers).toBe(0);
  }),
);

test(
  'a query yields parameters and faults',
  fuzz(targets, (text) => {
    const faults: Fault[] = [];
    const { parameters } = readQuery(text, { tag: 'many', dc: 'once' }, faults);
    expect(Object.keys(parameters)).toEqual(['tag', 'dc']);
    expect(parameters.dc.length).toBeLessThanOrEqual(1);
    expect(Object.values(parameters).flat()).not.toContain('');
  }),
);

const addresses = fc.oneof(
  textOf([...'a Z 0 1 65535 . : :: [ ] % _ - ü xn-- /'.split(' '), '\u0000', ' ']),
  fc
    .tuple(
      fc.oneof(
        fc.domain(),
        fc.ipV4(),
        fc.ipV6().map((ip) => `[${ip}]`),
      ),
      fc.nat({ max: 66_000 }),
    )
    .map(([host, port]) => `${host}:${port}`),
);

test(
  'host:port yields a normalized address, or a fault',
  fuzz(addresses, (text) => {
    const faults: Fault[] = [];
    const address = readHostPort('address', text, faults);
    expect(address === undefined).toBe(faults.length > 0);
    for (const { message } of faults) expect(message.length).toBeLessThan(500);
    if (!address) return;
    expect(address.port).toSatisfy((port: number) => port >= 1 && port <= 65_535);
    expect(parseHostPort(addressToString(address), 'x')).toEqual(address);
  }),
);
