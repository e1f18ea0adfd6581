/** First 32 bits of the fractional parts of the roots of the first primes. @see FIPS 180-4 §4.2.2, §5.3.3 */
const primes = firstPrimes(64);
const constants = Uint32Array.from(primes, (prime) => fraction(Math.cbrt(prime)));
const initial = Uint32Array.from(primes.slice(0, 8), (prime) => fraction(Math.sqrt(prime)));
const blockBytes = 64;

function firstPrimes(count: number): number[] {
  const found: number[] = [];
  for (let candidate = 2; found.length < count; candidate++) {
    if (found.every((prime) => candidate % prime !== 0)) found.push(candidate);
  }
  return found;
}

function fraction(root: number): number {
  return Math.floor((root - Math.floor(root)) * 2 ** 32);
}

/**
 * SHA-256 of ASCII text, as eight words. Written out, because the browser's own answers each call later,
 * which takes far longer than the digest of a short text, and is not there at all on plain HTTP.
 * @see FIPS 180-4 §6.2
 */
export function sha256(text: string): Uint32Array {
  const bytes = new Uint8Array(Math.ceil((text.length + 9) / blockBytes) * blockBytes);
  for (let at = 0; at < text.length; at++) bytes[at] = text.charCodeAt(at);
  bytes[text.length] = 0x80;
  const view = new DataView(bytes.buffer);
  view.setUint32(bytes.length - 4, text.length * 8);
  const state = initial.slice();
  for (let at = 0; at < bytes.length; at += blockBytes) addBlock(state, view, at);
  return state;
}

const schedule = new Uint32Array(64);
const rotate = (word: number, by: number): number => (word >>> by) | (word << (32 - by));
const wordOf = (words: Uint32Array, at: number): number => words[at] as number;

function addBlock(state: Uint32Array, view: DataView, offset: number): void {
  for (let at = 0; at < 16; at++) schedule[at] = view.getUint32(offset + at * 4);
  for (let at = 16; at < 64; at++) {
    const [before, last] = [wordOf(schedule, at - 15), wordOf(schedule, at - 2)];
    const one = rotate(before, 7) ^ rotate(before, 18) ^ (before >>> 3);
    const other = rotate(last, 17) ^ rotate(last, 19) ^ (last >>> 10);
    schedule[at] = (wordOf(schedule, at - 16) + one + wordOf(schedule, at - 7) + other) | 0;
  }
  let [a, b, c, d, e, f, g, h] = state as unknown as [
    number,
    number,
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  for (let at = 0; at < 64; at++) {
    const choice = (e & f) ^ (~e & g);
    const sum = rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25);
    const first = (h + sum + choice + wordOf(constants, at) + wordOf(schedule, at)) | 0;
    const majority = (a & b) ^ (a & c) ^ (b & c);
    const second = ((rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22)) + majority) | 0;
    [h, g, f, e, d, c, b, a] = [g, f, e, (d + first) | 0, c, b, a, (first + second) | 0];
  }
  const added = [a, b, c, d, e, f, g, h];
  for (let at = 0; at < 8; at++) state[at] = (wordOf(state, at) + (added[at] as number)) | 0;
}
