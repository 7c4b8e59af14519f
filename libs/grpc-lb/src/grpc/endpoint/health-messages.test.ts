import { fromJSON, type MethodDefinition } from '@grpc/proto-loader';
import { expect, test } from 'vitest';
import { decodeStatus, encodeRequest } from './health-messages.js';

const definition = fromJSON({
  nested: {
    Request: { fields: { service: { type: 'string', id: 1 } } },
    Response: { fields: { status: { type: 'int32', id: 1 }, more: { type: 'string', id: 200 } } },
    Health: { methods: { Check: { requestType: 'Request', responseType: 'Response', comment: '' } } },
  },
});
const { Check: check } = definition['Health'] as unknown as {
  Check: MethodDefinition<{ service: string }, { status: number; more: string }>;
};

test.each(['orders.v1.Orders', 'ü'.repeat(64), 'x'.repeat(20_000)])('a request is as protobuf.js has it', (service) => {
  expect(encodeRequest(service)).toEqual(check.requestSerialize({ service }));
});

test.each([
  [0, 'UNKNOWN'],
  [1, 'SERVING'],
  [2, 'NOT_SERVING'],
  [3, 'SERVICE_UNKNOWN'],
  [9, 9],
])('status %s is %s, whatever else an answer has', (status, expected) => {
  expect(decodeStatus(check.responseSerialize({ status, more: 'x' }))).toBe(expected);
  expect(decodeStatus(check.responseSerialize({ status, more: 'x'.repeat(1024) }))).toBeUndefined();
});

test('a request for the whole server is empty', () => {
  expect(encodeRequest('')).toHaveLength(0);
});

test('an answer that is cut is unreadable', () => {
  expect(decodeStatus(Buffer.from([8]))).toBeUndefined();
  expect(decodeStatus(Buffer.from([10, 5, 1]))).toBeUndefined();
});
