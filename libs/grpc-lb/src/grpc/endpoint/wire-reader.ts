/** Wire types of protobuf. */
export const VARINT = 0;
export const FIXED64 = 1;
export const LENGTH_DELIMITED = 2;
export const FIXED32 = 5;

/** Reads each field with `read`, which must read or skip it. Returns whether the message is well-formed. */
export function isWellFormed(reader: WireReader, read: (field: number, wireType: number) => void): boolean {
  try {
    while (reader.more) {
      const tag = reader.varint();
      read(tag >>> 3, tag & 7);
    }
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
  return true;
}

/** Reads the fields of a protobuf message, for the few messages of gRPC itself. Throws a RangeError beyond the end. */
export class WireReader {
  at = 0;

  constructor(private readonly bytes: Buffer) {}

  get more(): boolean {
    return this.at < this.bytes.length;
  }

  /** Keeps up to 32 bits: enough for tags and lengths. */
  varint(): number {
    let value = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      if (this.at >= this.bytes.length) throw new RangeError();
      const byte = this.bytes[this.at++]!;
      if (shift < 32) value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value >>> 0;
    }
    throw new RangeError();
  }

  /** `readDoubleLE` throws beyond the end. */
  double(): number {
    const value = this.bytes.readDoubleLE(this.at);
    this.at += 8;
    return value;
  }

  /** Returns the end of the block that begins here. */
  block(): number {
    const length = this.varint();
    const end = this.at + length;
    if (end > this.bytes.length) throw new RangeError();
    return end;
  }

  text(): string {
    const end = this.block();
    const text = this.bytes.toString('utf8', this.at, end);
    this.at = end;
    return text;
  }

  /** The bytes of the block that begins here. */
  blockBytes(): Buffer {
    const end = this.block();
    const bytes = this.bytes.subarray(this.at, end);
    this.at = end;
    return bytes;
  }

  skipTo(end: number): void {
    this.at = end;
  }

  /** Skips a field of any type. */
  skipField(wireType: number): void {
    if (wireType === LENGTH_DELIMITED) this.skipTo(this.block());
    else this.skip(wireType);
  }

  skip(wireType: number): void {
    if (wireType === VARINT) this.varint();
    else if (wireType === FIXED64) this.at += 8;
    else if (wireType === FIXED32) this.at += 4;
    else throw new RangeError();
    if (this.at > this.bytes.length) throw new RangeError();
  }
}
