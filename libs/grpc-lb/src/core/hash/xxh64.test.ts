import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { check } from '../../../../../test/properties/check.js';
import { xxh64, xxh64OfBytes } from './xxh64.js';

/** The specification again, slow and plain. */
function plain(bytes: Uint8Array, seed: bigint): bigint {
  const [p1, p2, p3, p4, p5] = [
    11400714785074694791n,
    14029467366897019727n,
    1609587929392839161n,
    9650029242287828579n,
    2870177450012600261n,
  ] as const;
  const u = (x: bigint): bigint => BigInt.asUintN(64, x);
  const rotl = (x: bigint, n: bigint): bigint => u((x << n) | (x >> (64n - n)));
  const read = (at: number, n: number): bigint =>
    bytes.slice(at, at + n).reduceRight((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
  const round = (acc: bigint, lane: bigint): bigint => u(rotl(u(acc + lane * p2), 31n) * p1);
  let hash = u(seed + p5);
  let at = 0;
  if (bytes.length >= 32) {
    const lanes = [u(seed + p1 + p2), u(seed + p2), seed, u(seed - p1)];
    for (; at + 32 <= bytes.length; at += 32) lanes.forEach((acc, i) => (lanes[i] = round(acc, read(at + 8 * i, 8))));
    hash = u(lanes.reduce((sum, acc, i) => sum + rotl(acc, [1n, 7n, 12n, 18n][i]!), 0n));
    for (const acc of lanes) hash = u((hash ^ round(0n, acc)) * p1 + p4);
  }
  hash = u(hash + BigInt(bytes.length));
  for (; at + 8 <= bytes.length; at += 8) hash = u(rotl(hash ^ round(0n, read(at, 8)), 27n) * p1 + p4);
  if (at + 4 <= bytes.length) {
    hash = u(rotl(hash ^ u(read(at, 4) * p1), 23n) * p2 + p3);
    at += 4;
  }
  for (; at < bytes.length; at++) hash = u(rotl(hash ^ u(read(at, 1) * p5), 11n) * p1);
  hash = u((hash ^ (hash >> 33n)) * p2);
  hash = u((hash ^ (hash >> 29n)) * p3);
  return hash ^ (hash >> 32n);
}

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);

/** The buffer that xxHash's own sanity check hashes. */
function sanityBuffer(length: number): Uint8Array {
  let generator = 2654435761n;
  return Uint8Array.from({ length }, () => {
    const byte = Number(generator >> 56n);
    generator = BigInt.asUintN(64, generator * 11400714785074694797n);
    return byte;
  });
}

describe('xxh64', () => {
  test.each([
    [0, 0, 0xef46db3751d8e999n],
    [0, 0x9e3779b1, 0xac75fda2929b17efn],
    [1, 0, 0xe934a84adb052768n],
    [1, 0x9e3779b1, 0x5014607643a9b4c3n],
    [4, 0, 0x9136a0dca57457een],
    [14, 0, 0x8282dcc4994e35c8n],
    [14, 0x9e3779b1, 0xc3bd6bf63deb6df0n],
    [222, 0, 0xb641ae8cb691c174n],
    [222, 0x9e3779b1, 0x20cb8ab7ae10c14an],
  ])("hashes %i bytes of xxHash's sanity check with seed %i as published", (length, seed, expected) => {
    expect(xxh64OfBytes(sanityBuffer(length), seed)).toBe(expected);
  });

  test.each([
    ['', 0xef46db3751d8e999n],
    ['a', 0xd24ec4f1a98c6e5bn],
    ['as', 0x1c330fb2d66be179n],
    ['asd', 0x631c37ce72a97393n],
    ['asdf', 0x415872f599cea71en],
    ['Call me Ishmael. Some years ago--never mind how long precisely-', 0x02a2e85470d6fd96n],
  ])('hashes %j as other implementations do', (text, expected) => {
    expect(xxh64OfBytes(utf8(text))).toBe(expected);
    expect(xxh64(text)).toBe(Number(expected >> 11n));
  });

  test('agrees with the plain form of the specification for all bytes and seeds', () => {
    check(
      fc.property(fc.uint8Array({ maxLength: 140 }), fc.maxSafeNat(), (bytes, seed) => {
        expect(xxh64OfBytes(bytes, seed)).toBe(plain(bytes, BigInt(seed)));
      }),
      500,
    );
  });

  test('of a text is that of its UTF-8 bytes, the upper 53 bits, whatever was hashed before', () => {
    check(
      fc.property(fc.string({ unit: 'binary', maxLength: 400 }), fc.maxSafeNat(), (text, seed) => {
        expect(xxh64(text, seed)).toBe(Number(plain(utf8(text), BigInt(seed)) >> 11n));
      }),
      500,
    );
  });

  test('is exact for a text longer than any before it', () => {
    const text = 'é'.repeat(5000);
    expect(xxh64(text)).toBe(Number(plain(utf8(text), 0n) >> 11n));
  });
});
