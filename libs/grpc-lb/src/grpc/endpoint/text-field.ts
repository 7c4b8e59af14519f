import { LENGTH_DELIMITED } from './wire-reader.js';

/** A protobuf field with a text, which is sent even if the text is empty. */
export function textField(id: number, text: string): Buffer {
  const bytes = Buffer.from(text);
  const head = [(id << 3) | LENGTH_DELIMITED];
  let length = bytes.length;
  for (; length > 0x7f; length >>>= 7) head.push((length & 0x7f) | 0x80);
  return Buffer.concat([Buffer.from([...head, length]), bytes]);
}
