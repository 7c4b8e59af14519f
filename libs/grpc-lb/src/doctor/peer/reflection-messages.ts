import { fromJSON } from '@grpc/proto-loader';

/** The part of grpc/reflection/v1/reflection.proto, equal in v1alpha, and of descriptor.proto that the doctor reads. */
const definition = fromJSON(
  {
    nested: {
      reflection: {
        nested: {
          Request: {
            fields: { file_containing_symbol: { type: 'string', id: 4 }, list_services: { type: 'string', id: 7 } },
            // A field of a oneof is sent even if it is empty, as list_services is.
            oneofs: { message_request: { oneof: ['file_containing_symbol', 'list_services'] } },
          },
          Response: {
            fields: {
              file_descriptor_response: { type: 'Files', id: 4 },
              list_services_response: { type: 'Services', id: 6 },
              error_response: { type: 'Failure', id: 7 },
            },
          },
          Files: { fields: { file_descriptor_proto: { rule: 'repeated', type: 'bytes', id: 1 } } },
          Services: { fields: { service: { rule: 'repeated', type: 'Named', id: 1 } } },
          Failure: { fields: { error_code: { type: 'int32', id: 1 }, error_message: { type: 'string', id: 2 } } },
          Named: { fields: { name: { type: 'string', id: 1 } } },
          File: {
            fields: { package: { type: 'string', id: 2 }, service: { rule: 'repeated', type: 'Service', id: 6 } },
          },
          Service: {
            fields: { name: { type: 'string', id: 1 }, method: { rule: 'repeated', type: 'Named', id: 2 } },
          },
          Codec: {
            methods: {
              Reflect: { requestType: 'Request', responseType: 'Response', comment: '' },
              Describe: { requestType: 'File', responseType: 'File', comment: '' },
            },
          },
        },
      },
    },
  },
  { keepCase: true, defaults: true, arrays: true },
);

interface Request {
  readonly list_services?: string;
  readonly file_containing_symbol?: string;
}

interface Named {
  readonly name: string;
}

interface Response {
  readonly file_descriptor_response: { readonly file_descriptor_proto: readonly Buffer[] } | null;
  readonly list_services_response: { readonly service: readonly Named[] } | null;
  readonly error_response: { readonly error_code: number; readonly error_message: string } | null;
}

interface File {
  readonly package: string;
  readonly service: readonly (Named & { readonly method: readonly Named[] })[];
}

interface Method<Q, A> {
  requestSerialize(request: Q): Buffer;
  responseDeserialize(bytes: Buffer): A;
}

const codec = definition['reflection.Codec'] as unknown as {
  Reflect: Method<Request, Response>;
  Describe: Method<File, File>;
};

export const encodeReflection = (request: Request): Buffer => codec.Reflect.requestSerialize(request);

/** The names of all services; undefined if the answer is another one. */
export function servicesIn(bytes: Buffer): readonly string[] | undefined {
  return read(bytes)?.list_services_response?.service.map(({ name }) => name);
}

/** The methods of a service; undefined if the answer does not describe it. */
export function methodsIn(bytes: Buffer, service: string): readonly string[] | undefined {
  const files = read(bytes)?.file_descriptor_response?.file_descriptor_proto ?? [];
  for (const each of files) {
    const file = attempt(() => codec.Describe.responseDeserialize(each));
    const prefix = file === undefined || file.package === '' ? '' : `${file.package}.`;
    const found = file?.service.find(({ name }) => `${prefix}${name}` === service);
    if (found) return found.method.map(({ name }) => name);
  }
  return undefined;
}

const read = (bytes: Buffer): Response | undefined => attempt(() => codec.Reflect.responseDeserialize(bytes));

/** Undefined if the bytes are unreadable. */
function attempt<T>(decode: () => T): T | undefined {
  try {
    return decode();
  } catch {
    return undefined;
  }
}
