import { describe, expect, it } from 'vitest';
import { SettingsAck } from './settings-ack.js';

const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');

function frame(type: number, flags: number, payload = ''): Buffer {
  const header = Buffer.alloc(9);
  header.writeUIntBE(payload.length, 0, 3);
  header[3] = type;
  header[4] = flags;
  return Buffer.concat([header, Buffer.from(payload)]);
}

/** The settings of a client, a window update that looks like an acknowledgment inside, and the acknowledgment. */
const BEFORE = Buffer.concat([PREFACE, frame(4, 0, '123456'), frame(8, 0, '\0\0\0\u0004\u0001')]);
const ACK = frame(4, 1);

describe('the acknowledgment of settings is found', () => {
  it.each([1, 2, 7, 9, 24, 33, 1000])('when bytes come in pieces of %i', (size) => {
    const bytes = Buffer.concat([BEFORE, ACK, frame(1, 4, 'headers')]);
    const ack = new SettingsAck();
    const end = BEFORE.length + ACK.length;
    for (let at = 0; at < bytes.length; at += size) {
      const seen = ack.read(bytes.subarray(at, at + size));
      expect(seen).toBe(at + size >= end);
    }
  });

  it('but not before it comes, and not in bytes that are not HTTP/2', () => {
    const ack = new SettingsAck();
    expect([ack.read(BEFORE), ack.read(frame(4, 0, '')), ack.seen]).toEqual([false, false, false]);
    expect(new SettingsAck().read(Buffer.alloc(5000, 22))).toBe(false);
  });
});
