import { Metadata, status } from '@grpc/grpc-js';
import { expect, test } from 'vitest';
import { sendableStatus } from './sendable-status.js';

const metadataOf = (entries: Readonly<Record<string, string>>): Metadata => {
  const metadata = new Metadata();
  for (const [key, value] of Object.entries(entries)) metadata.set(key, value);
  return metadata;
};

test.each([
  ['a name that is none', { 'a:b': '1' }, 'metadata "a:b" contains ":"'],
  ['too much of it', { trace: 'x'.repeat(65_000) }, 'the largest is "trace"'],
])('metadata that cannot be sent, as %s, is INTERNAL, and names it', (_, entries, text) => {
  // With OK they are the trailers of an answer.
  for (const code of [status.NOT_FOUND, status.OK])
    expect(sendableStatus({ code, details: 'no order', metadata: metadataOf(entries) })).toEqual({
      code: status.INTERNAL,
      details: expect.stringContaining(text),
      metadata: null,
    });
});

test('headers of another message are not sent', () => {
  const metadata = metadataOf({
    connection: 'keep-alive',
    'transfer-encoding': 'chunked',
    'content-length': '9',
    own: '1',
  });
  const sent = sendableStatus({ code: status.UNAVAILABLE, details: 'no', metadata });
  expect(sent).toMatchObject({ code: status.UNAVAILABLE, details: 'no' });
  expect(sent.metadata.getMap()).toEqual({ own: '1' });
  // It is the handler's.
  expect(metadata.get('connection')).toEqual(['keep-alive']);
});

test.each([new Headers({ own: '1' }), { own: '1' }, 'own'])(
  'metadata of another library (%s) is not sent',
  (metadata) => {
    for (const code of [status.OK, status.NOT_FOUND])
      expect(sendableStatus({ code, details: 'x', metadata: metadata as never })).toEqual({
        code,
        details: 'x',
        metadata: null,
      });
  },
);

test('other statuses stay what they are', () => {
  for (const ending of [
    { code: status.OK, details: 'OK', metadata: null },
    { code: status.OK, details: 'OK', metadata: metadataOf({ cost: '1' }) },
    { code: status.NOT_FOUND, details: 'no order', metadata: metadataOf({ 'retry-after': '1' }) },
    { code: status.UNKNOWN, details: 'x', metadata: undefined },
  ])
    expect(sendableStatus(ending)).toBe(ending);
});
