import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { chooseServiceConfig } from './service-config.js';

// A fixed seed keeps failures reproducible; set FAST_CHECK_SEED to try another one.
fc.configureGlobal({ seed: Number(process.env['FAST_CHECK_SEED'] ?? 1) });

const chooser = { hostname: 'Pod-1', percentile: 42 };
const choose = (choices: unknown) => chooseServiceConfig([[`grpc_config=${JSON.stringify(choices)}`]], chooser);
const config = { methodConfig: [] };

describe('the service config of a TXT record', () => {
  test('the strings of a record are concatenated', () => {
    expect(chooseServiceConfig([['grpc_con', 'fig=[{"service', 'Config":{"a":1}}]']], chooser)).toEqual({
      config: { a: 1 },
    });
  });

  test('unrelated records are ignored', () => {
    expect(chooseServiceConfig([['v=spf1 -all'], [], ['GRPC_CONFIG=x']], chooser)).toEqual({});
    expect(chooseServiceConfig([], chooser)).toEqual({});
  });

  test.each([
    [{}, true],
    [{ clientLanguage: [], clientHostname: [] }, true],
    [{ clientLanguage: ['go', 'NODE'] }, true],
    [{ clientLanguage: ['go', 'c++'] }, false],
    [{ clientHostname: ['Pod-1'] }, true],
    [{ clientHostname: ['pod-1'] }, false],
    [{ percentage: 100 }, true],
    [{ percentage: 43 }, true],
    [{ percentage: 42 }, false],
    [{ percentage: 0 }, false],
    [{ percentage: 100, clientLanguage: ['node'], clientHostname: ['other'] }, false],
  ])('%j applies to this client: %s', (criteria, chosen) => {
    expect(choose([{ ...criteria, serviceConfig: config }])).toEqual(chosen ? { config } : {});
  });

  test('the first choice that matches wins', () => {
    expect(
      choose([
        { clientLanguage: ['go'], serviceConfig: { n: 1 } },
        { percentage: 50, serviceConfig: { n: 2 } },
        { serviceConfig: { n: 3 } },
      ]),
    ).toEqual({ config: { n: 2 } });
  });

  test('a percentage selects that share of all clients', () => {
    const clients = Array.from({ length: 100 }, (_, percentile) => ({ hostname: 'x', percentile }));
    const records = [['grpc_config=[{"percentage":30,"serviceConfig":{}}]']];
    expect(clients.filter((each) => chooseServiceConfig(records, each).config)).toHaveLength(30);
  });

  test.each([
    ['{', 'grpc_config is "{"; use a JSON list of choices'],
    ['{}', 'grpc_config is {}; use a JSON list of choices'],
    ['[1]', 'grpc_config[0] is 1; use an object with clientLanguage, percentage, clientHostname, serviceConfig'],
    ['[{}]', 'grpc_config[0] has no serviceConfig; add it'],
    ['[{"serviceConfig":[]}]', 'grpc_config[0].serviceConfig is []; use an object'],
    [
      '[{"serviceConfig":{}},{"percentage":101,"serviceConfig":{}}]',
      'grpc_config[1].percentage is 101; use a whole number from 0 to 100',
    ],
    [
      '[{"clientLanguages":["go"],"serviceConfig":{}}]',
      'grpc_config[0].clientLanguages is not an option; did you mean "clientLanguage"?',
    ],
    ['[{"clientLanguage":"go","serviceConfig":{}}]', 'grpc_config[0].clientLanguage is "go"; use a list of strings'],
    ['[{"clientHostname":[1],"serviceConfig":{}}]', 'grpc_config[0].clientHostname[0] is 1; use a string'],
  ])('%s invalidates the record: %s', (json, fault) => {
    expect(chooseServiceConfig([[`grpc_config=${json}`]], chooser)).toEqual({ fault });
  });

  test('several grpc_config records are a fault', () => {
    const records = [['grpc_config=[]'], ['grpc_config=[{"serviceConfig":{}}]']];
    expect(chooseServiceConfig(records, chooser)).toEqual({ fault: 'there are 2 records with grpc_config=; keep one' });
  });

  test('values that are not strings are ignored', () => {
    expect(chooseServiceConfig([[{ toString: {} }, 'x']], chooser)).toEqual({});
  });

  test.each([
    ['['.repeat(60_000), 'it has more than 64 nested lists and objects'],
    [`[${'[],'.repeat(20_000)}1]`, 'it has more than 5000 values'],
  ])('a record crafted to parse slowly is rejected before it is parsed', (json, fault) => {
    expect(chooseServiceConfig([[`grpc_config=${json}`]], chooser)).toEqual({ fault });
  });

  test('arbitrary records never throw', () => {
    const record = fc.oneof(fc.anything(), fc.array(fc.oneof(fc.string(), fc.anything({ withNullPrototype: false }))));
    const json = fc.json().map((text) => [`grpc_config=${text}`]);
    fc.assert(
      fc.property(fc.oneof(fc.anything(), fc.array(fc.oneof(record, json))), (records) => {
        const { config: chosen, fault } = chooseServiceConfig(records, chooser);
        expect(chosen === undefined || fault === undefined).toBe(true);
      }),
    );
  });
});
