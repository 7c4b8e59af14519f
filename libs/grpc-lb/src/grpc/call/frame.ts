/** A gRPC message frame begins with one byte of flags and four bytes of length. */
const FRAME_HEADER = 5;
export const COMPRESSED = 1;

/** A message as one frame. */
export function frameOf(message: Uint8Array, flags = 0): Buffer {
  const frame = Buffer.allocUnsafe(FRAME_HEADER + message.length);
  frame[0] = flags;
  frame.writeUInt32BE(message.length, 1);
  frame.set(message, FRAME_HEADER);
  return frame;
}

export function isCompressed(frame: Buffer): boolean {
  return frame[0] === COMPRESSED;
}

/** The message in a frame; it may be compressed. */
export function messageIn(frame: Buffer): Buffer {
  return frame.subarray(FRAME_HEADER);
}

/** The size of the message in a frame of this length. */
export function messageSize(frameLength: number): number {
  return frameLength - FRAME_HEADER;
}
