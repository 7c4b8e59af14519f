/**
 * The part of the protobuf wire format that is needed to count before decoding: a decoder creates an object for each
 * two bytes of an empty message, so a few megabytes would become gigabytes.
 */

const VARINT = 0;
const FIXED64 = 1;
const BYTES = 2;
const FIXED32 = 5;

/**
 * The content of a field; `start` and `end` delimit it if it has a length, otherwise they are equal. Returning false
 * ends the walk.
 */
type Visit = (field: number, start: number, end: number) => unknown;

/** The fields that hold messages whose fields count too. */
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

/** The number of fields in a message and its nested messages, counted up to one more than `limit`. */
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
