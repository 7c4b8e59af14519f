/**
 * 64-bit arithmetic on pairs of 32-bit halves. A number takes two entries of one typed array, the upper half first, so
 * that nothing is allocated; `i` is the index of its upper half. `BigInt` takes four times as long, and allocates.
 */
export const registers = new Int32Array(12);

export function set(i: number, high: number, low: number): void {
  registers[i] = high;
  registers[i + 1] = low;
}

export function add(i: number, high: number, low: number): void {
  const sum = (registers[i + 1]! >>> 0) + (low >>> 0);
  registers[i] = registers[i]! + high + (sum > 0xffffffff ? 1 : 0);
  registers[i + 1] = sum;
}

export function xor(i: number, high: number, low: number): void {
  registers[i] = registers[i]! ^ high;
  registers[i + 1] = registers[i + 1]! ^ low;
}

/** Rotates left by `n` bits, 1 to 31. */
export function rotate(i: number, n: number): void {
  const high = registers[i]!;
  const low = registers[i + 1]!;
  registers[i] = (high << n) | (low >>> (32 - n));
  registers[i + 1] = (low << n) | (high >>> (32 - n));
}

/** Keeps the lower 64 bits of the product. Computes the carry of the lower halves from 16-bit digits. */
export function multiply(i: number, high: number, low: number): void {
  const a = registers[i + 1]!;
  const a0 = a & 0xffff;
  const a1 = a >>> 16;
  const b0 = low & 0xffff;
  const b1 = low >>> 16;
  const first = a1 * b0 + ((a0 * b0) >>> 16);
  const second = a0 * b1 + (first & 0xffff);
  const carried = a1 * b1 + (first >>> 16) + (second >>> 16);
  registers[i] = (carried | 0) + Math.imul(registers[i]!, low) + Math.imul(a, high);
  registers[i + 1] = Math.imul(a, low);
}
