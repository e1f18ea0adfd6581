import { expect, test } from 'vitest';
import { loadOnce } from './load-once.ts';

test('what could not be loaded is tried again; what was loaded stays, for all who ask', async () => {
  const outcomes = [() => Promise.reject(new Error('not there yet')), () => Promise.resolve({ pages: 3 })];
  let loads = 0;
  const load = loadOnce(() => outcomes[loads++]?.() ?? Promise.reject(new Error('once too often')));
  const first = await Promise.allSettled([load(), load()]);
  expect(first.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  const [one, other] = await Promise.all([load(), load()]);
  expect(one).toEqual({ pages: 3 });
  expect(other).toBe(one);
  expect(await load()).toBe(one);
  expect(loads).toBe(2);
});
