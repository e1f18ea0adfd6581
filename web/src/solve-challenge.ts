import { sha256 } from './sha256.ts';

/** So many tries between two looks at the clock. */
const triesPerLook = 500;
/** Shorter than a frame or two, so that the page stays alive meanwhile. */
const sliceMs = 25;

/**
 * Finds a number so that the SHA-256 of `<challenge>.<number>` begins with that many zero bits, and returns
 * the whole text. Works in short turns; gives up when `signal` says so.
 */
export async function solveChallenge(
  challenge: string,
  difficultyBits: number,
  signal: AbortSignal,
): Promise<string> {
  for (let number = 0; ;) {
    const until = performance.now() + sliceMs;
    while (performance.now() < until) {
      for (let tries = 0; tries < triesPerLook; tries++) {
        const text = `${challenge}.${number++}`;
        if (hasZeroBits(sha256(text), difficultyBits)) return text;
      }
    }
    await new Promise((resolve) => setTimeout(resolve));
    signal.throwIfAborted();
  }
}

function hasZeroBits(digest: Uint32Array, bits: number): boolean {
  let found = 0;
  for (const word of digest) {
    found += Math.clz32(word);
    if (word !== 0) break;
  }
  return found >= bits;
}
