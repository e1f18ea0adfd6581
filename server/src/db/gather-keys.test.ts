import { expect, test } from 'vitest';
import { createGatherer } from './gather.ts';

/** A database that refuses a call with `bad` in it as PostgreSQL would, and notes what it was asked. */
function noteCalls(): { calls: string[][]; call: (requests: string[]) => Promise<string[]> } {
  const calls: string[][] = [];
  const call = async (requests: string[]): Promise<string[]> => {
    calls.push(requests);
    await Promise.resolve();
    if (requests.includes('bad')) throw Object.assign(new Error('refused'), { code: '22P05' });
    if (requests.includes('lost')) throw Object.assign(new Error('gone'), { code: 'ECONNRESET' });
    return requests.map((one) => one.toUpperCase());
  };
  return { calls, call };
}

test('what comes at the same moment goes together, and each is given its own answer', async () => {
  const { calls, call } = noteCalls();
  const gatherer = createGatherer(call);
  expect(await Promise.all(['a', 'b', 'c'].map((one) => gatherer.ask(one)))).toEqual(['A', 'B', 'C']);
  expect(await gatherer.ask('d')).toBe('D');
  expect(calls).toEqual([['a', 'b', 'c'], ['d']]);
});

test('one that the database refuses fails alone', async () => {
  const gatherer = createGatherer(noteCalls().call);
  const outcomes = await Promise.allSettled(['a', 'bad', 'c'].map((one) => gatherer.ask(one)));
  expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
});

test('when nobody knows what was done, nothing is done again', async () => {
  const { calls, call } = noteCalls();
  const gatherer = createGatherer(call);
  const outcomes = await Promise.allSettled(['a', 'lost'].map((one) => gatherer.ask(one)));
  expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  expect(calls).toHaveLength(1);
  expect(await gatherer.ask('b')).toBe('B');
});

test('what has the same key goes one after the other, in its order', async () => {
  const { calls, call } = noteCalls();
  const gatherer = createGatherer(call, { keyOf: (one) => one.slice(0, 1), batchMax: 2 });
  expect(await Promise.all(['a1', 'a2', 'b1', 'c1'].map((one) => gatherer.ask(one)))).toEqual([
    'A1',
    'A2',
    'B1',
    'C1',
  ]);
  expect(calls).toEqual([
    ['a1', 'b1'],
    ['a2', 'c1'],
  ]);
});

test('who finds too many waiting is told that the service is busy', async () => {
  const gatherer = createGatherer(noteCalls().call, { waitingMax: 2 });
  const outcomes = await Promise.allSettled(['a', 'b', 'c'].map((one) => gatherer.ask(one)));
  expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected']);
  expect(outcomes[2]).toMatchObject({ reason: { code: 'server.busy' } });
});
