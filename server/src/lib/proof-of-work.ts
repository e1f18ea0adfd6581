import { createHash } from 'node:crypto';

/** How many bits at the front of the SHA-256 of a text are 0. It takes 2^n texts on average to find n. */
export function leadingZeroBits(text: string): number {
  let bits = 0;
  for (const byte of createHash('sha256').update(text).digest()) {
    bits += Math.clz32(byte) - 24;
    if (byte !== 0) break;
  }
  return bits;
}
