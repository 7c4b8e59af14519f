import * as fc from 'fast-check';

const varint = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }).map((value) => {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 0x7fn; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80);
  return Buffer.from([...bytes, Number(rest)]);
});

const framed = (bytes: Uint8Array): Buffer => Buffer.concat([lengthOf(bytes.length), bytes]);

function lengthOf(value: number): Buffer {
  return value < 0x80
    ? Buffer.from([value])
    : Buffer.concat([Buffer.from([(value & 0x7f) | 0x80]), lengthOf(value >>> 7)]);
}

/** Messages of protobuf with fields that a schema may know, of any wire type, one within the other. */
const { message } = fc.letrec<{ message: Buffer; field: Buffer }>((tie) => ({
  message: fc.array(tie('field'), { maxLength: 8, depthIdentifier: 'message' }).map((fields) => Buffer.concat(fields)),
  field: fc
    .tuple(
      fc.integer({ min: 0, max: 20 }),
      fc.oneof(
        { depthIdentifier: 'message', maxDepth: 6 },
        varint.map((value) => [0, value] as const),
        fc.uint8Array({ minLength: 8, maxLength: 8 }).map((value) => [1, value] as const),
        fc.double().map((value) => [1, Buffer.from(new Float64Array([value]).buffer)] as const),
        fc.string().map((text) => [2, framed(Buffer.from(text))] as const),
        tie('message').map((inner) => [2, framed(inner)] as const),
        fc.uint8Array({ minLength: 4, maxLength: 4 }).map((value) => [5, value] as const),
        fc.constantFrom(3, 4, 6, 7).map((odd) => [odd, Buffer.alloc(0)] as const),
      ),
    )
    .map(([id, [wireType, value]]) => Buffer.concat([lengthOf((id << 3) | wireType), value])),
}));

/** A sound message that has been damaged on its way: bytes changed, cut out, and put in. */
function damaged(sound: fc.Arbitrary<Buffer>): fc.Arbitrary<Buffer> {
  const damage = fc.record({ at: fc.nat(), drop: fc.nat({ max: 4 }), add: fc.uint8Array({ maxLength: 4 }) });
  return fc.tuple(sound, fc.array(damage, { maxLength: 3 })).map(([bytes, all]) =>
    all.reduce((rest, { at, drop, add }) => {
      const place = at % (rest.length + 1);
      return Buffer.concat([rest.subarray(0, place), add, rest.subarray(place + drop)]);
    }, bytes),
  );
}

/** What a peer may send where a message is expected: bytes of any kind, protobuf of any kind, and the right kind damaged. */
export function messageBytes(sound: fc.Arbitrary<Buffer>): fc.Arbitrary<Buffer> {
  const raw = fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes));
  return fc.oneof(raw, message, damaged(sound));
}
