/** Tags of ITU-T X.690. */
const BIT_STRING = 0x03;
const INTEGER = 0x02;
const OBJECT_IDENTIFIER = 0x06;
const SEQUENCE = 0x30;

/** One value of ASN.1 in DER: tag, length, content. */
export function tagged(tag: number, ...content: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat(content);
  // Up to 127 bytes the length is one byte; else its bytes follow their number.
  const length = body.length < 0x80 ? [body.length] : bytesOf(body.length);
  const head = body.length < 0x80 ? length : [0x80 | length.length, ...length];
  return Buffer.concat([Buffer.from([tag, ...head]), body]);
}

export function sequence(...content: readonly Uint8Array[]): Buffer {
  return tagged(SEQUENCE, ...content);
}

/** @param bytes Of a positive number, the highest bit of which is 0. */
export function integer(...bytes: readonly number[]): Buffer {
  return tagged(INTEGER, Buffer.from(bytes));
}

/** @param unused How many bits of the last byte do not count. */
export function bits(content: Uint8Array, unused = 0): Buffer {
  return tagged(BIT_STRING, Buffer.from([unused]), content);
}

/** As in `2.5.29.17`. */
export function oid(text: string): Buffer {
  const [first = 0, second = 0, ...rest] = text.split('.').map(Number);
  return tagged(OBJECT_IDENTIFIER, Buffer.from([40 * first + second, ...rest.flatMap(base128)]));
}

/**
 * RFC 5280, section 4.1.2.5: "CAs conforming to this profile MUST always encode certificate validity dates through the
 * year 2049 as UTCTime; certificate validity dates in 2050 or later MUST be encoded as GeneralizedTime."
 */
export function time(date: Date): Buffer {
  const text = `${date.toISOString().replace(/[-:T]|\.\d+Z$/g, '')}Z`;
  return date.getUTCFullYear() < 2050 ? tagged(0x17, Buffer.from(text.slice(2))) : tagged(0x18, Buffer.from(text));
}

function bytesOf(value: number): number[] {
  return value < 0x100 ? [value] : [...bytesOf(Math.floor(value / 0x100)), value & 0xff];
}

/** Seven bits a byte, of which all but the last have the highest bit. */
function base128(value: number): number[] {
  const bytes = [value & 0x7f];
  for (let left = value >>> 7; left > 0; left >>>= 7) bytes.unshift((left & 0x7f) | 0x80);
  return bytes;
}
