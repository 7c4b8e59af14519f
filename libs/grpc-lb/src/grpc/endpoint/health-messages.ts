import { fromJSON } from '@grpc/proto-loader';

export const WATCH_PATH = '/grpc.health.v1.Health/Watch';

export type ServingStatus = 'UNKNOWN' | 'SERVING' | 'NOT_SERVING' | 'SERVICE_UNKNOWN';

/** The part of grpc/health/v1/health.proto that a client needs for watching. */
const definition = fromJSON(
  {
    nested: {
      grpc: {
        nested: {
          health: {
            nested: {
              v1: {
                nested: {
                  HealthCheckRequest: { fields: { service: { type: 'string', id: 1 } } },
                  HealthCheckResponse: {
                    fields: { status: { type: 'ServingStatus', id: 1 } },
                    nested: {
                      ServingStatus: { values: { UNKNOWN: 0, SERVING: 1, NOT_SERVING: 2, SERVICE_UNKNOWN: 3 } },
                    },
                  },
                  Health: {
                    methods: {
                      Watch: {
                        requestType: 'HealthCheckRequest',
                        responseType: 'HealthCheckResponse',
                        responseStream: true,
                        comment: '',
                      },
                    },
                  },
                },
              },
            },
          },
        },
      },
    },
  },
  { enums: String, defaults: true },
);

interface WatchMethod {
  requestSerialize(request: { service: string }): Buffer;
  responseDeserialize(bytes: Buffer): { status: ServingStatus };
}

const { Watch: watch } = definition['grpc.health.v1.Health'] as unknown as { Watch: WatchMethod };

export function encodeRequest(service: string): Buffer {
  return watch.requestSerialize({ service });
}

/** An answer takes two bytes; the rest allows for a few unknown fields. */
const MAX_BYTES = 1024;

/** Undefined if the message is unreadable. */
export function decodeStatus(bytes: Buffer): ServingStatus | undefined {
  if (bytes.length > MAX_BYTES) return undefined;
  try {
    return watch.responseDeserialize(bytes).status;
  } catch {
    return undefined;
  }
}
