import type { Type } from '@nestjs/common';
import type { TestingModule } from '@nestjs/testing';
import {
  getGrpcLbClientToken,
  GrpcLbClient,
  type GrpcLbClientDecoratorOptions,
  GrpcLbModule,
  GrpcService,
  type GrpcLbServiceDefinition,
} from 'nestjs-grpc-lb';
import { createFleet, type Fleet, type FleetOptions } from 'nestjs-grpc-lb/testing';
import type { Observable } from 'rxjs';
import { onTestFinished } from 'vitest';
import { startApp } from '../nest/app.js';
import { SHOP_PROTO } from './generate.js';

/** Messages of whatever generator; a test knows what it expects. */
export interface AnyMessage {
  readonly id: string;
  readonly [field: string]: unknown;
}

/** A client over a definition whose types only the generator knows. */
// oxlint-disable-next-line typescript/no-explicit-any
export type AnyShop = Readonly<Record<string, (request: any, ...rest: readonly unknown[]) => Observable<AnyMessage>>>;

/** What a proto-loader server receives and sends: names as in the proto file, numbers of 64 bits as texts. */
const LOADER = { keepCase: true, longs: String, defaults: true, oneofs: true };

/** Backends by proto-loader; they end with the test. */
export async function shopFleet(options: FleetOptions = {}): Promise<Fleet> {
  const source = options.definition === undefined && { protoPath: SHOP_PROTO, package: 'shop.v1', loader: LOADER };
  const fleet = await createFleet({ ...source, ...options });
  onTestFinished(() => fleet.close());
  return fleet;
}

/** A client class over a definition. */
export function shopClient(
  definition: GrpcLbServiceDefinition,
  target: string,
  more: Partial<GrpcLbClientDecoratorOptions> = {},
): Type<AnyShop> {
  @GrpcLbClient({ target, name: 'SHOP', ...more })
  class ShopClient extends GrpcService<object>(definition) {}
  return ShopClient as unknown as Type<AnyShop>;
}

/** A client of a fleet, when all backends are ready; it ends with the test. */
export async function startShopOf(
  fleet: Fleet,
  definition: GrpcLbServiceDefinition,
  more: Partial<GrpcLbClientDecoratorOptions> = {},
): Promise<{ readonly app: TestingModule; readonly shop: AnyShop }> {
  const client = shopClient(definition, 'dns:///shop.invalid', more);
  const imports = [GrpcLbModule.forRoot({ logging: false }), GrpcLbModule.forFeature([client])];
  const app = await startApp({ imports }, (builder) =>
    builder.overrideProvider(getGrpcLbClientToken(client)).useFactory(fleet.client(client)),
  );
  await fleet.ready();
  return { app, shop: app.get(client) };
}

/** A client that has started; it ends with the test. */
export async function startShop(
  definition: GrpcLbServiceDefinition,
  target: string,
  more: Partial<GrpcLbClientDecoratorOptions> = {},
): Promise<{ readonly app: TestingModule; readonly shop: AnyShop }> {
  const client = shopClient(definition, target, more);
  const app = await startApp({
    imports: [GrpcLbModule.forRoot({ logging: false }), GrpcLbModule.forFeature([client])],
  });
  return { app, shop: app.get(client) };
}
