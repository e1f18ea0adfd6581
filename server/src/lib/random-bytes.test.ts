import { expect, test } from 'vitest';
import { createRandomBytes } from './random-bytes.ts';

test('bytes are handed out once, in any length, and keep what they are', () => {
  const bytes = createRandomBytes();
  const lengths = Array.from({ length: 2000 }, (_, index) => [16, 32, 1, 64, 65, 0, 5000][index % 7] ?? 0);
  const handedOut = lengths.map((length) => bytes(length));
  expect(handedOut.map(({ length }) => length)).toEqual(lengths);
  const long = handedOut.filter(({ length }) => length >= 16).map((value) => value.toString('hex'));
  expect(new Set(long).size).toBe(long.length);
  expect(long.filter((text) => /^0+$/.test(text))).toEqual([]);
});

test('all bits are used', () => {
  const bytes = createRandomBytes();
  const seen = new Set(Array.from({ length: 5000 }, () => bytes(1)[0]));
  expect(seen.size).toBe(256);
});
