import { createGunzip, createInflate, deflate, gzip } from 'node:zlib';
import { compressionAlgorithms, type Metadata, status as Status } from '@grpc/grpc-js';
import { COMPRESSED, frameOf, messageIn } from './frame.js';

/** The status of a call that this side ends because of a message. */
export class MessageFault extends Error {
  constructor(
    readonly code: Status,
    readonly details: string,
  ) {
    super(details);
  }
}

export type Encoding = 'identity' | 'deflate' | 'gzip';

/** The encodings that this side understands, for `grpc-accept-encoding`. */
export const ACCEPTED_ENCODINGS = 'identity,deflate,gzip';

/** The encoding for a value of the channel option `grpc.default_compression_algorithm`; undefined if it is invalid. */
export function encodingOf(algorithm: number | undefined): Encoding | undefined {
  if (algorithm === undefined) return 'identity';
  return compressionAlgorithms[algorithm] as Encoding | undefined;
}

/** The encoding of compressed messages, as the headers before them name it. */
export function encodingIn(headers: Metadata | undefined): string {
  const [encoding] = headers?.get('grpc-encoding') ?? [];
  return typeof encoding === 'string' ? encoding : 'identity';
}

/** Removes what headers say about encodings, which does not concern the caller. */
export function removeEncodings(headers: Metadata): void {
  headers.remove('grpc-encoding');
  headers.remove('grpc-accept-encoding');
}

/** Whether a `grpc-accept-encoding` lists this encoding. C-core puts a space after each comma, others do not. */
export function accepts(acceptEncoding: string, encoding: Encoding): boolean {
  return acceptEncoding.split(',').some((each) => each.trim() === encoding);
}

/** A message as one compressed frame. */
export function compressedFrameOf(message: Uint8Array, encoding: Exclude<Encoding, 'identity'>): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const compress = encoding === 'gzip' ? gzip : deflate;
    compress(message, (error, output) => (error ? reject(error) : resolve(frameOf(output, COMPRESSED))));
  });
}

/**
 * The message in a compressed frame. Rejects with a MessageFault.
 *
 * @param maxLength The maximum length of a message; -1 for no limit. It stops the decompression, so that a small frame
 *   cannot fill the memory.
 */
export function decompressed(frame: Buffer, encoding: string, maxLength: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    if (encoding !== 'gzip' && encoding !== 'deflate') return reject(unknownEncoding(encoding));
    const stream = encoding === 'gzip' ? createGunzip() : createInflate();
    const parts: Buffer[] = [];
    let length = 0;
    stream.on('error', () =>
      reject(new MessageFault(Status.INTERNAL, `Failed to decompress ${encoding}-encoded message`)),
    );
    stream.on('data', (part: Buffer) => {
      length += part.length;
      parts.push(part);
      if (maxLength === -1 || length <= maxLength) return;
      stream.destroy();
      const details = `Received message that decompresses to a size larger than ${maxLength}`;
      reject(new MessageFault(Status.RESOURCE_EXHAUSTED, details));
    });
    stream.on('end', () => resolve(Buffer.concat(parts, length)));
    stream.end(messageIn(frame));
  });
}

function unknownEncoding(encoding: string): MessageFault {
  return encoding === 'identity'
    ? new MessageFault(Status.INTERNAL, 'Received compressed message but "grpc-encoding" header was identity')
    : new MessageFault(Status.INTERNAL, `Received message compressed with unsupported compression method ${encoding}`);
}
