import type { ServiceDefinition } from '@grpc/grpc-js';
import type { Type } from '@nestjs/common';
import { type Fault } from '../core/errors.js';
import { didYouMean } from '../core/options/validation.js';
import type { GrpcLbClientOptions } from '../nest/client-options.js';
import { clientDeclaration, declaredService } from '../nest/decorators/metadata.js';
import { isCalledByOthers, methodNames } from '../nest/definition/method-names.js';
import { isDefined, loadServices, type ServiceOptions } from '../nest/stub/service-definitions.js';
import { completing } from './completing.js';

/** Where the services come from, as options of a client name them. */
export type ProtoOptions = Partial<
  Pick<GrpcLbClientOptions, 'loader' | 'package' | 'packageDefinition' | 'protoLoader' | 'protoPath'>
>;

/** The services of the package of a client class; faults are added to `faults`. */
export function servicesOfClient(client: Type, faults: Fault[]): ServiceDefinition[] {
  const declaration = clientDeclaration(client);
  if (declaration) return servicesOf(`client ${client.name}`, declaration.client, faults);
  faults.push({ path: 'client', message: `is the class ${client.name}, which has no @GrpcLbClient; decorate it` });
  return [];
}

/** The services of a package or of definitions; faults are added to `faults`. */
export function servicesOf(subject: string, options: ServiceOptions, faults: Fault[]): ServiceDefinition[] {
  if (options.package === undefined && !isDefined(options))
    faults.push({ path: 'package', message: 'is missing; set the package of the proto file, as in orders.v1' });
  return [...loadServices(subject, options, faults).values()].map(({ service }) => completing(service));
}

/** The one service that a client class calls, with the methods that its instances have. */
export function serviceOfClient(client: Type, faults: Fault[]): ServiceDefinition {
  const declaration = clientDeclaration(client);
  if (!declaration) {
    servicesOfClient(client, faults);
    return {};
  }
  const services = loadServices(`client ${client.name}`, declaration.client, faults);
  const service = declaredService(client);
  const found = services.get(service);
  if (!found && faults.length === 0) {
    const known = [...services.keys()];
    faults.push({
      path: 'service',
      message: `is "${service}", which the package does not have${didYouMean(service, known)}; it has ${known.join(', ')}`,
    });
  }
  return found ? completing(found.service) : {};
}

/** All names of a method: as the definition knows it, in lower camel case, and in the proto file. */
export function namesOf(key: string, service: ServiceDefinition): string[] {
  const names = new Set(methodNames(service[key]!));
  return [...(isCalledByOthers(key) ? names : names.add(key))];
}

/** Handlers that no method has. */
export function checkHandlerNames(
  handlers: object,
  services: readonly ServiceDefinition[],
  path: string,
  faults: Fault[],
): void {
  const names = services.map((service) => Object.keys(service).map((key) => namesOf(key, service)));
  const known = new Set(names.flat(2));
  const shownNames = [...new Set(names.flat().map(([first]) => first!))];
  for (const [name, handler] of Object.entries(handlers)) {
    const at = `${path}${name}`;
    if (!known.has(name)) {
      const has = `the service has ${shownNames.join(', ')}`;
      faults.push({ path: at, message: `is not a method of the service${didYouMean(name, shownNames)}; ${has}` });
    } else if (typeof handler !== 'function' && handler !== undefined) {
      faults.push({ path: at, message: 'is not a function; write (request) => ({ ... })' });
    }
  }
}
