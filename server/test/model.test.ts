import fc from 'fast-check';
import { expect, test } from 'vitest';
import { startTestService, type Answer, type TestService } from './harness/index.ts';
import { compareWallet, expectProved } from './harness/model/compare.ts';
import { play } from './harness/model/play.ts';
import { steps, type Step } from './harness/model/steps.ts';
import { beginHistory, rulesEnv, setStage, type Send } from './harness/model/world.ts';
import { expectSound } from './harness/movements.ts';
import { connectAsOwner } from './harness/wallets.ts';

/** By default a short run through HTTP; `npm run test:model` sets the others. */
const env = process.env;
const stepsMax = Number(env.MODEL_STEPS ?? 400);
const seed = Number(env.MODEL_SEED ?? Math.trunc(Date.now() / 1000) % 1_000_000);
const historyMax = Number(env.MODEL_HISTORY ?? 200);
const proofEvery = 10;
const isLong = env.MODEL_STEPS !== undefined;

const service = await startTestService({ env: rulesEnv });
const owner = await connectAsOwner(service);
const stage = await setStage(
  service,
  owner,
  isLong ? injecting(service) : (...request) => service.send(...request),
);

/** Hands requests to the routes without a socket in between. */
function injecting({ app }: TestService): Send {
  return async (method, path, { body, token, headers = {} } = {}): Promise<Answer> => {
    const answer = await app.inject({
      method: method as 'GET',
      url: path,
      headers: { ...(token === undefined ? {} : { authorization: `Bearer ${token}` }), ...headers },
      ...(body === undefined ? {} : { payload: body as object }),
    });
    return {
      status: answer.statusCode,
      headers: new Headers(answer.headers as Record<string, string>),
      body: answer.body === '' ? '' : answer.json(),
    };
  };
}

async function playHistory(history: Step[], count: () => void): Promise<void> {
  const world = await beginHistory(stage);
  for (const wallet of Object.values(world.wallets)) await compareWallet(world, wallet);
  for (const [index, step] of history.entries()) {
    try {
      await play(world, step);
      count();
      if (index % proofEvery === proofEvery - 1) await expectProved(world);
    } catch (error) {
      throw new Error(`step ${index + 1} of ${history.length}: ${JSON.stringify(step)}`, { cause: error });
    }
  }
  await expectProved(world);
}

test(`any sequence of steps comes to what the model says: seed ${seed}`, async () => {
  const startedAt = Date.now();
  let played = 0;
  // What failed is made shorter, however many steps that takes.
  let hasFailed = false;
  let reportedAt = startedAt;
  const count = () => {
    played += 1;
    if (!isLong || Date.now() - reportedAt < 5000) return;
    reportedAt = Date.now();
    process.stderr.write(`seed ${seed}: ${played} steps, ${rate()} steps/s\n`);
  };
  const rate = () => Math.round((1000 * played) / (Date.now() - startedAt));
  const histories = fc.array(steps, { minLength: 1, maxLength: historyMax, size: 'max' });
  await fc.assert(
    fc.asyncProperty(histories, async (history) => {
      if (played >= stepsMax && !hasFailed) return;
      try {
        await playHistory(history, count);
      } catch (error) {
        hasFailed = true;
        throw error;
      }
    }),
    { seed, numRuns: stepsMax, interruptAfterTimeLimit: 3_600_000 },
  );
  if (isLong) process.stderr.write(`seed ${seed}: done, ${played} steps, ${rate()} steps/s\n`);
  expect(played).toBeGreaterThanOrEqual(stepsMax);
}, 3_600_000);

test('the ledger as a whole is sound after it', () => expectSound(service));
