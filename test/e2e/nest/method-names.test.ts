import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Type } from '@nestjs/common';
import {
  GrpcLbClient,
  GrpcLbModule,
  GrpcPromiseService,
  InjectGrpcService,
  promises,
  type PromiseServiceClient,
} from 'nestjs-grpc-lb';
import { createFleet, type Fleet, mockClient } from 'nestjs-grpc-lb/testing';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { startApp } from '../../support/nest/app.js';
import { expectNoLeaks } from '../../support/run/leaks.js';

expectNoLeaks();

/** Methods whose names have a meaning in JavaScript or in Nest. */
const METHODS = ['Then', 'OnModuleInit', 'HasOwnProperty', 'Constructor', 'Find'] as const;
type Odd = Record<
  'Then' | 'OnModuleInit' | 'Constructor' | 'hasOwnProperty' | 'find',
  (request: { text: string }) => Promise<Text>
>;
interface Text {
  readonly text: string;
}

const folder = mkdtempSync(join(tmpdir(), 'grpc-lb-names-'));
const protoPath = join(folder, 'odd.proto');
beforeAll(() => {
  const methods = METHODS.map((name) => `rpc ${name} (Text) returns (Text);`).join('\n');
  writeFileSync(
    protoPath,
    `syntax = "proto3"; package odd.v1; message Text { string text = 1; } service Odd { ${methods} }`,
  );
});
afterAll(() => rmSync(folder, { recursive: true }));

const echoing = (method: string) => (request: object) => ({ text: `${method} ${(request as Text).text}` });
const HANDLERS = Object.fromEntries(METHODS.map((name) => [name, echoing(name)]));

async function startFleet(): Promise<Fleet> {
  const fleet = await createFleet({ protoPath, package: 'odd.v1', handlers: HANDLERS });
  onTestFinished(() => fleet.close());
  return fleet;
}

function oddClient(target: string): Type<PromiseServiceClient<Odd>> {
  @GrpcLbClient({ name: 'ODD', target, package: 'odd.v1', protoPath, service: 'Odd' })
  class OddClient extends GrpcPromiseService<Odd>() {}
  return OddClient;
}

async function answers(odd: PromiseServiceClient<Odd>): Promise<string[]> {
  const names = ['Then', 'OnModuleInit', 'Constructor', 'hasOwnProperty', 'find'] as const;
  return Promise.all(names.map(async (name) => (await odd[name]({ text: 'a' })).text));
}

const ANSWERS = ['Then a', 'OnModuleInit a', 'Constructor a', 'HasOwnProperty a', 'Find a'];

test('await and Nest call no method of a client class, not even in a second application', async () => {
  const fleet = await startFleet();
  const Odd = oddClient(fleet.target);
  for (let round = 0; round < 2; round++) {
    const app = await startApp({ imports: [GrpcLbModule.forRoot(), GrpcLbModule.forFeature([Odd])] });
    expect(await answers(app.get(Odd))).toEqual(ANSWERS);
  }
  expect(fleet.calls().filter(({ method }) => method !== '/odd.v1.Odd/Find')).toHaveLength(8);
});

test('nor one of a stub, its Promises and a mock', async () => {
  const fleet = await startFleet();
  const options = { target: fleet.target, package: 'odd.v1', protoPath };
  class Asking {
    constructor(@InjectGrpcService('ODD', 'Odd') readonly stub: object) {}
  }
  const app = await startApp({
    imports: [GrpcLbModule.forRoot(), GrpcLbModule.forFeature([{ name: 'ODD', options }])],
    providers: [Asking],
  });
  const stub = promises(app.get(Asking).stub) as PromiseServiceClient<Odd>;
  expect(await Promise.resolve(stub)).toBe(stub);
  expect(await answers(stub)).toEqual(ANSWERS);
  const mock = mockClient(oddClient(fleet.target), HANDLERS as never);
  expect(await Promise.resolve(mock)).toBe(mock);
  expect(await answers(mock)).toEqual(ANSWERS);
});
