import { textField } from '../../grpc/endpoint/text-field.js';
import { isWellFormed, LENGTH_DELIMITED, WireReader } from '../../grpc/endpoint/wire-reader.js';

/** A ServerReflectionRequest of grpc/reflection/v1/reflection.proto, equal in v1alpha: a oneof, sent even if empty. */
export type ReflectionRequest = { readonly list_services: '' } | { readonly file_containing_symbol: string };

export const encodeReflection = (request: ReflectionRequest): Buffer =>
  'list_services' in request ? textField(7, request.list_services) : textField(4, request.file_containing_symbol);

/** The names of all services; undefined if the answer is another one. */
export function servicesIn(bytes: Buffer): readonly string[] | undefined {
  // ServerReflectionResponse.list_services_response.service.name
  const list = blocksOf(bytes, 6)?.at(-1);
  const services = list && blocksOf(list, 1);
  return services?.map(nameOf(1));
}

/** The methods of a service; undefined if the answer does not describe it. */
export function methodsIn(bytes: Buffer, service: string): readonly string[] | undefined {
  // ServerReflectionResponse.file_descriptor_response.file_descriptor_proto
  const answer = blocksOf(bytes, 4)?.at(-1);
  for (const file of (answer && blocksOf(answer, 1)) ?? []) {
    // FileDescriptorProto: package is 2, service is 6; ServiceDescriptorProto: name is 1, method is 2.
    const packageName = nameOf(2)(file);
    const prefix = packageName === '' ? '' : `${packageName}.`;
    const found = blocksOf(file, 6)?.find((each) => `${prefix}${nameOf(1)(each)}` === service);
    if (found) return blocksOf(found, 2)?.map(nameOf(1));
  }
  return undefined;
}

/** A text field; empty if there is none. */
const nameOf =
  (field: number) =>
  (message: Buffer): string =>
    blocksOf(message, field)?.at(-1)?.toString() ?? '';

/** The bytes of each message or text in a field; undefined if the message is malformed. */
function blocksOf(message: Buffer, wanted: number): readonly Buffer[] | undefined {
  const found: Buffer[] = [];
  const reader = new WireReader(message);
  const isReadable = isWellFormed(reader, (field, wireType) => {
    if (field === wanted && wireType === LENGTH_DELIMITED) found.push(reader.blockBytes());
    else reader.skipField(wireType);
  });
  return isReadable ? found : undefined;
}
