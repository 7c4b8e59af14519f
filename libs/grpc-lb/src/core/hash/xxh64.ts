import { add, multiply, registers, rotate, set, xor } from './int64.js';

// XXH64 by its specification (xxHash, doc/xxhash_spec.md): the hash that gRPC names for random subsetting (A68) and for
// ring hash (A42). Implemented here because no package computes it synchronously: js-xxhash has only XXH32, and
// xxhash-wasm is asynchronous. Not for cryptographic use.

/** The index of each number in the registers. */
const HASH = 0;
const LANES = [2, 4, 6, 8] as const;
const INPUT = 10;

// The primes, as upper and lower halves.
const P1H = 0x9e3779b1;
const P1L = 0x85ebca87;
const P2H = 0xc2b2ae3d;
const P2L = 0x27d4eb4f;
const P3H = 0x165667b1;
const P3L = 0x9e3779f9;
const P4H = 0x85ebca77;
const P4L = 0xc2b2ae63;
const P5H = 0x27d4eb2f;
const P5L = 0x165667c5;

const encoder = new TextEncoder();
let scratch = new Uint8Array(256);

/**
 * The upper 53 of the 64 bits of the hash of a text's UTF-8 bytes: a whole number from 0 to 2^53 - 1, which sorts and
 * compares like the hash itself. Among a thousand texts, two have the same value in about one of 10^10 cases; break
 * ties by the text.
 *
 * @param seed A whole number from 0 to 2^53 - 1.
 */
export function xxh64(text: string, seed = 0): number {
  const length = encode(text); // May replace `scratch`.
  digest(scratch, length, seed);
  return (registers[HASH]! >>> 0) * 2 ** 21 + (registers[HASH + 1]! >>> 11);
}

/** The full 64-bit hash of bytes, as in the published test vectors. */
export function xxh64OfBytes(bytes: Uint8Array, seed = 0): bigint {
  digest(bytes, bytes.length, seed);
  return (BigInt(registers[HASH]! >>> 0) << 32n) | BigInt(registers[HASH + 1]! >>> 0);
}

/**
 * Writes the text into the scratch buffer; returns the number of bytes. Addresses are ASCII, for which this is fastest.
 */
function encode(text: string): number {
  const { length } = text;
  if (3 * length > scratch.length) scratch = new Uint8Array(6 * length);
  for (let i = 0; i < length; i++) {
    const code = text.charCodeAt(i);
    if (code > 0x7f) return encoder.encodeInto(text, scratch).written;
    scratch[i] = code;
  }
  return length;
}

function digest(bytes: Uint8Array, length: number, seed: number): void {
  const seedHigh = Math.floor(seed / 2 ** 32);
  const seedLow = seed >>> 0;
  let at = 0;
  if (length < 32) {
    set(HASH, seedHigh, seedLow);
    add(HASH, P5H, P5L);
  } else {
    at = stripes(bytes, length, seedHigh, seedLow);
  }
  add(HASH, 0, length);
  rest(bytes, at, length);
  avalanche();
}

/** Merges all whole stripes of 32 bytes into the hash; returns where the rest begins. */
function stripes(bytes: Uint8Array, length: number, seedHigh: number, seedLow: number): number {
  const [v1, v2, , v4] = LANES;
  for (const lane of LANES) set(lane, seedHigh, seedLow);
  add(v1, P1H, P1L);
  add(v1, P2H, P2L);
  add(v2, P2H, P2L);
  add(v4, ~P1H, ~P1L); // Less P1: plus its complement, plus one.
  add(v4, 0, 1);
  let at = 0;
  while (at + 32 <= length) {
    for (const lane of LANES) {
      read8(bytes, at);
      multiply(INPUT, P2H, P2L);
      add(lane, registers[INPUT]!, registers[INPUT + 1]!);
      rotate(lane, 31);
      multiply(lane, P1H, P1L);
      at += 8;
    }
  }
  set(HASH, 0, 0);
  LANES.forEach((lane, i) => {
    set(INPUT, registers[lane]!, registers[lane + 1]!);
    rotate(INPUT, [1, 7, 12, 18][i]!);
    add(HASH, registers[INPUT]!, registers[INPUT + 1]!);
  });
  for (const lane of LANES) {
    set(INPUT, registers[lane]!, registers[lane + 1]!);
    scramble();
    multiply(HASH, P1H, P1L);
    add(HASH, P4H, P4L);
  }
  return at;
}

/** Merges the last bytes, fewer than 32: by eight, four and one. */
function rest(bytes: Uint8Array, from: number, length: number): void {
  let at = from;
  for (; at + 8 <= length; at += 8) {
    read8(bytes, at);
    scramble();
    rotate(HASH, 27);
    multiply(HASH, P1H, P1L);
    add(HASH, P4H, P4L);
  }
  if (at + 4 <= length) {
    set(INPUT, 0, read4(bytes, at));
    multiply(INPUT, P1H, P1L);
    xor(HASH, registers[INPUT]!, registers[INPUT + 1]!);
    rotate(HASH, 23);
    multiply(HASH, P2H, P2L);
    add(HASH, P3H, P3L);
    at += 4;
  }
  for (; at < length; at++) {
    set(INPUT, 0, bytes[at]!);
    multiply(INPUT, P5H, P5L);
    xor(HASH, registers[INPUT]!, registers[INPUT + 1]!);
    rotate(HASH, 11);
    multiply(HASH, P1H, P1L);
  }
}

/** Mixes one round of the input, without an accumulator, into the hash. */
function scramble(): void {
  multiply(INPUT, P2H, P2L);
  rotate(INPUT, 31);
  multiply(INPUT, P1H, P1L);
  xor(HASH, registers[INPUT]!, registers[INPUT + 1]!);
}

/** Makes every bit of the input affect every bit of the hash. */
function avalanche(): void {
  xor(HASH, 0, registers[HASH]! >>> 1); // hash ^= hash >>> 33
  multiply(HASH, P2H, P2L);
  const high = registers[HASH]!;
  xor(HASH, high >>> 29, (high << 3) | (registers[HASH + 1]! >>> 29)); // hash ^= hash >>> 29
  multiply(HASH, P3H, P3L);
  xor(HASH, 0, registers[HASH]!); // hash ^= hash >>> 32
}

function read8(bytes: Uint8Array, at: number): void {
  set(INPUT, read4(bytes, at + 4), read4(bytes, at));
}

/** Little-endian. */
function read4(bytes: Uint8Array, at: number): number {
  return bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
}
