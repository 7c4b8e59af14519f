/**
 * The wire format of protobuf, as far as one must know it to count before one decodes: a decoder makes an object of
 * each two bytes of an empty message, so that a few megabytes become gigabytes.
 */

const VARINT = 0;
const FIXED64 = 1;
const BYTES = 2;
const FIXED32 = 5;

/**
 * What is in a field; `start` and `end` are those of its content if it has a length, else equal. False ends the walk.
 */
type Visit = (field: number, start: number, end: number) => unknown;

/** Which fields hold messages whose fields count too. */
export interface Shape {
  readonly [field: number]: Shape;
}

/** Visits the fields of one message without copying. @throws Error if the bytes are not a proto3 message. */
export function eachField(bytes: Uint8Array, visit: Visit, from = 0, to = bytes.length): void {
  let at = from;
  const varint = (): number => {
    let value = 0;
    for (let shift = 1, i = 0; i < 10; i++, shift *= 128) {
      if (at >= to) break;
      const byte = bytes[at++]!;
      value += (byte & 127) * shift;
      if (byte < 128) return value;
    }
    throw new Error('a varint is truncated');
  };
  while (at < to) {
    const tag = varint();
    const type = tag % 8;
    let start = at;
    if (type === VARINT) varint();
    else if (type === FIXED64) at += 8;
    else if (type === FIXED32) at += 4;
    else if (type !== BYTES) throw new Error(`the wire type ${type} is not in proto3`);
    else {
      const length = varint();
      start = at;
      at += length;
    }
    if (at > to) throw new Error('a field exceeds its message');
    if (visit(Math.floor(tag / 8), type === BYTES ? start : at, at) === false) return;
  }
}

/** How many fields there are in a message and the messages within, counted up to one more than `limit`. */
export function countFields(bytes: Uint8Array, shape: Shape, limit: number): number {
  let count = 0;
  const walk = (within: Shape, from: number, to: number): void => {
    const visit: Visit = (field, start, end) => {
      count++;
      const inner = within[field];
      if (inner && count <= limit) walk(inner, start, end);
      return count <= limit;
    };
    eachField(bytes, visit, from, to);
  };
  walk(shape, 0, bytes.length);
  return count;
}
