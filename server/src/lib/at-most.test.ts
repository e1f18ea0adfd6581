import { expect, test } from 'vitest';
import { atMost } from './at-most.ts';

test('work is waited for, and no longer than was said', async () => {
  expect(await atMost(60_000, Promise.resolve('done'))).toBe(true);
  expect(await atMost(1, new Promise(() => {}))).toBe(false);
  await expect(atMost(60_000, Promise.reject(new Error('it failed')))).rejects.toThrow('it failed');
});
