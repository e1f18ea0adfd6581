import { expect, test } from 'vitest';
import { startTestService } from '../../test/harness/index.ts';
import { AppError } from '../errors.ts';
import { createGatherer, type Call } from './gather.ts';

const service = await startTestService();
const numbers = (length: number) => Array.from({ length }, (_, index) => index + 1);

/** Divides 60 in the database, which cannot divide by zero. Keeps what it was called with. */
function createDivider() {
  const calls: number[][] = [];
  const divide: Call<number, number> = async (divisors) => {
    calls.push(divisors);
    const [row] = await service.ctx.db.call<{ quotients: number[] }>(
      `select array_agg(60 / divisor order by place) as quotients
         from unnest($1::int[]) with ordinality as asked (divisor, place)`,
      [divisors],
    );
    return row?.quotients ?? [];
  };
  return { divide, calls };
}

test('what is asked in one turn goes in one call, and each gets its own answer', async () => {
  const { divide, calls } = createDivider();
  const { ask } = createGatherer(divide);
  expect(await Promise.all(numbers(6).map((number) => ask(number)))).toEqual([60, 30, 20, 15, 12, 10]);
  expect(calls).toEqual([numbers(6)]);
});

test('what is asked while a call is under way joins the next one, in its order', async () => {
  const { divide, calls } = createDivider();
  const called = Promise.withResolvers<void>();
  const { ask, waiting } = createGatherer<number, number>((divisors) => {
    called.resolve();
    return divide(divisors);
  });
  const first = ask(1);
  await called.promise;
  const others = [2, 3, 4].map((number) => ask(number));
  expect(waiting()).toBe(3);
  expect(await Promise.all([first, ...others])).toEqual([60, 30, 20, 15]);
  expect(calls).toEqual([[1], [2, 3, 4]]);
  expect(waiting()).toBe(0);
});

test('who asks again as soon as they are answered is answered again', async () => {
  const { divide, calls } = createDivider();
  const { ask } = createGatherer(divide);
  const answers: number[] = [];
  for (const number of numbers(5)) answers.push(await ask(number));
  expect(answers).toEqual([60, 30, 20, 15, 12]);
  expect(calls).toHaveLength(5);
});

test('one that cannot be answered fails alone', async () => {
  const { divide, calls } = createDivider();
  const { ask } = createGatherer(divide);
  const results = await Promise.allSettled([2, 0, 3].map((number) => ask(number)));
  expect(results.map((result) => (result.status === 'fulfilled' ? result.value : 'failed'))).toEqual([
    30,
    'failed',
    20,
  ]);
  expect(calls).toEqual([[2, 0, 3], [2], [0], [3]]);
});

test('when the database cannot be reached everybody is told so, and it is not asked again for each', async () => {
  let calls = 0;
  const { ask } = createGatherer<number, number>(async () => {
    calls += 1;
    throw new AppError('server.unavailable');
  });
  const results = await Promise.allSettled(numbers(20).map((number) => ask(number)));
  for (const result of results) {
    expect(result).toMatchObject({ status: 'rejected', reason: { code: 'server.unavailable' } });
  }
  expect(calls).toBe(1);
});

test('a call that answers less than it was asked answers nobody', async () => {
  const { ask } = createGatherer<number, number>(async (divisors) => divisors.slice(1));
  const results = await Promise.allSettled(numbers(3).map((number) => ask(number)));
  expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected']);
});

test('calls are no larger than they may be', async () => {
  const { divide, calls } = createDivider();
  const { ask } = createGatherer(divide, { batchMax: 4, waitingMax: 100 });
  expect(await Promise.all(numbers(10).map((number) => ask(number)))).toHaveLength(10);
  expect(calls.map((call) => call.length)).toEqual([4, 4, 2]);
});

test('beyond what may wait the service says that it is busy, and answers those who wait', async () => {
  const { divide } = createDivider();
  const { ask } = createGatherer(divide, { batchMax: 500, waitingMax: 5 });
  const results = await Promise.allSettled(numbers(7).map((number) => ask(number)));
  expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(5);
  for (const result of results.slice(5)) {
    expect(result).toMatchObject({
      status: 'rejected',
      reason: { code: 'server.busy', options: { headers: { 'retry-after': '1' } } },
    });
  }
});

test('drain waits until everything that was asked has been answered', async () => {
  const { divide } = createDivider();
  const { ask, drain, waiting } = createGatherer(divide, { batchMax: 2, waitingMax: 100 });
  let answered = 0;
  for (const number of numbers(7)) {
    void ask(number).then(() => {
      answered += 1;
    });
  }
  await drain();
  expect(waiting()).toBe(0);
  expect(answered).toBe(7);
  await drain();
});
