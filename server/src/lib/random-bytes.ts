import { randomBytes, randomFillSync } from 'node:crypto';

const poolBytes = 4096;
const smallMax = 64;

/**
 * Random bytes from the system, as good as `randomBytes` and much cheaper when a few are wanted often: they
 * are fetched by the page, handed out once, and wiped where they lay.
 */
export function createRandomBytes(): (length: number) => Buffer {
  const pool = Buffer.alloc(poolBytes);
  let next = poolBytes;
  return (length) => {
    if (length > smallMax) return randomBytes(length);
    if (next + length > poolBytes) {
      randomFillSync(pool);
      next = 0;
    }
    const bytes = Buffer.from(pool.subarray(next, next + length));
    pool.fill(0, next, next + length);
    next += length;
    return bytes;
  };
}
