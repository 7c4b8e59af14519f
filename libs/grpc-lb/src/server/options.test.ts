import { expect, test } from 'vitest';
import { GrpcLbOptionsError } from '../core/errors.js';
import { effectiveServerOptions, type GrpcServerOptions } from './options.js';

const effective = (options: unknown): ReturnType<typeof effectiveServerOptions> =>
  effectiveServerOptions('test', options as GrpcServerOptions);

function faultsOf(options: unknown): string[] {
  try {
    effective(options);
  } catch (error) {
    return (error as GrpcLbOptionsError).faults.map(({ path, message }) => `${path} ${message}`);
  }
  return [];
}

test('without options every feature that costs nothing until a client uses it is on, with the documented defaults', () => {
  expect(effective({})).toEqual({
    health: { checks: {}, interval: 5000, timeout: 3000, failureThreshold: 2 },
    reflection: false,
    drain: { delay: 500, streamGrace: 5000, streamSpread: 5000, timeout: 25_000 },
    connection: {},
    maxStreamAge: { default: false, methods: {}, jitter: 0.1, grace: 5000 },
    loadReports: { trailer: true, outOfBand: true, window: 5000, minInterval: 1000 },
    deadlines: { propagate: true, refuseHopeless: false },
    shedding: undefined,
  });
  expect(effective({ health: true, loadReports: true })).toEqual(effective({}));
  expect(effective({ health: false, loadReports: false })).toMatchObject({ health: undefined, loadReports: undefined });
});

test('shedding is off, on with its defaults, or with a number of calls', () => {
  expect(effective({ shedding: true }).shedding).toEqual({
    maxEventLoopDelay: 20,
    maxConcurrent: 'auto',
    trustCriticality: true,
  });
  expect(effective({ shedding: { maxConcurrent: 8 } }).shedding).toMatchObject({
    maxEventLoopDelay: 20,
    maxConcurrent: 8,
  });
  expect(faultsOf({ shedding: { maxConcurrent: 0, maxEventLoopDelay: 0 } })).toEqual([
    "shedding.maxConcurrent is 0; use 'auto', or a whole number from 1 to 1000000",
    'shedding.maxEventLoopDelay is 0; use a whole number from 1 to 10000 (milliseconds)',
  ]);
});

test('all faults are reported at once, each with its path, value, range and remedy', () => {
  const error = (): unknown =>
    effective({
      helth: true,
      health: { interval: 10, checks: { '': 'yes', 'a.B': [() => true, 1] } },
      drain: { delay: '500', timeout: -1, grace: 5 },
      connection: { maxAge: 10 },
      loadReports: { window: 1.5 },
      reflection: 'yes',
    });
  expect(error).toThrow(GrpcLbOptionsError);
  expect(error).toThrow('test: 10 options are invalid');
  expect(error).toThrow('- drain.delay is "500"; use a whole number from 0 to 600000 (milliseconds)');
  expect(error).toThrow('- helth is not an option; did you mean "health"?');
  expect(error).toThrow('- health.checks[\'\'] is "yes"; use a function, or a list of functions');
});

test('a value that is not an object is an error, and undefined counts as absent', () => {
  expect(faultsOf(null)).toEqual([
    'options is null; use an object with health, reflection, drain, connection, maxStreamAge, loadReports, deadlines, tls, shedding, observer, onEvent',
  ]);
  expect(faultsOf({ drain: 5 })).toEqual(['drain is 5; use an object with delay, streamGrace, streamSpread, timeout']);
  expect(faultsOf({ health: { checks: [] } })).toEqual([
    'health.checks is []; use an object of functions by service name',
  ]);
  expect(faultsOf({ drain: undefined, health: { interval: undefined } })).toEqual([]);
});

test('the age of streams is a number, or details', () => {
  expect(effective({ maxStreamAge: 60_000 }).maxStreamAge.default).toBe(60_000);
  expect(effective({ maxStreamAge: { methods: { 'a.B': false } } }).maxStreamAge).toEqual({
    default: false,
    methods: { 'a.B': false },
    jitter: 0.1,
    grace: 5000,
  });
  expect(faultsOf({ maxStreamAge: 10 })).toEqual([
    'maxStreamAge is 10; use a whole number from 1000 to 604800000 (milliseconds)',
  ]);
  expect(faultsOf({ maxStreamAge: '5m' })).toEqual([
    'maxStreamAge is "5m"; use an object with default, methods, jitter, grace',
  ]);
  expect(faultsOf({ maxStreamAge: { jitter: 1, methods: { 'a.B/C': true } } })).toEqual([
    'maxStreamAge.jitter is 1; use a number from 0 to 0.5',
    "maxStreamAge.methods['a.B/C'] is true; use a whole number from 1000 to 604800000 (milliseconds), or false for never",
  ]);
});

test('an option of the prototype is not an option', () => {
  expect(faultsOf({ constructor: 1 })).toHaveLength(1);
});
