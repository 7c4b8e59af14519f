import type { Contract } from './contract.js';
import { type Names, quoted } from './names.js';

export interface ClientFile {
  readonly names: Names;
  readonly contract: Contract;
  readonly target: string;
  /** The proto file, from the folder of the client. */
  readonly proto: string;
  readonly isEsm: boolean;
}

/** The source of a client class. */
export function clientFile({ names, contract, target, proto, isEsm }: ClientFile): string {
  const options = [
    `package: ${quoted(contract.package)}`,
    `service: ${quoted(contract.service)}`,
    `protoPath: join(${isEsm ? 'import.meta.dirname' : '__dirname'}, ${quoted(proto)})`,
    ...(contract.loader.length > 0 ? [`loader: { ${contract.loader.join(', ')} }`] : []),
    `target: ${quoted(target)}`,
  ];
  return `import { join } from 'node:path';
import { GrpcLbClient, GrpcService } from 'nestjs-grpc-lb';
import type { Observable } from 'rxjs';

${contract.messages.map((each) => `${each}\n\n`).join('')}/** The methods of ${contract.package}.${contract.service}. */
export interface ${contract.service} {
${contract.methods.map((each) => `  ${each}\n`).join('')}}

/** Balances its calls over the backends of its target. */
@GrpcLbClient({
${options.map((each) => `  ${each},\n`).join('')}})
export class ${names.pascal}Client extends GrpcService<${contract.service}>() {}
`;
}
