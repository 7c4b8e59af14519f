import type { AnyMessage, DiscoveryResponse } from './eds-messages.js';
import { eachField } from './wire.js';

/** One for each watched name; more is not realistic. */
const MAX_RESOURCES = 10_000;
/** Each request returns the version string of the control plane. */
const MAX_TEXT = 1024;

/**
 * Reads the envelope of a response. Written by hand, because a decoder would create an object for each resource,
 * however many there are.
 *
 * @throws Error if the bytes are not such a message, or have no usable version.
 */
export function decodeResponse(bytes: Buffer): DiscoveryResponse {
  const texts = { 1: '', 4: '', 5: '' };
  const resources: AnyMessage[] = [];
  let unread = 0;
  eachField(bytes, (field, start, end) => {
    if (field === 1 || field === 4 || field === 5) texts[field] = text(bytes, start, end);
    else if (field === 2 && resources.length < MAX_RESOURCES) resources.push(decodeAny(bytes, start, end));
    else if (field === 2) unread++;
  });
  return { version_info: texts[1], type_url: texts[4], nonce: texts[5], resources, ...(unread > 0 && { unread }) };
}

function decodeAny(bytes: Buffer, from: number, to: number): AnyMessage {
  let type = '';
  let value = bytes.subarray(to, to);
  eachField(
    bytes,
    (field, start, end) => {
      if (field === 1) type = text(bytes, start, end);
      else if (field === 2) value = bytes.subarray(start, end);
    },
    from,
    to,
  );
  return { type_url: type, value };
}

function text(bytes: Buffer, start: number, end: number): string {
  if (end - start > MAX_TEXT) throw new Error(`a version, nonce or type of ${end - start} bytes`);
  return bytes.toString('utf8', start, end);
}
