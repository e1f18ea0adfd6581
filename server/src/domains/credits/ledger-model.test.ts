import fc from 'fast-check';
import { expect, test } from 'vitest';
import { startTestService } from '../../../test/harness/index.ts';
import { addLot, addWalletHolder, type WalletHolder } from '../../../test/harness/wallets.ts';
import { WalletModel } from '../../../test/harness/wallet-model.ts';
import { verifyLedger } from './index.ts';

const rules = { signupBonus: 20, dailyFree: 5, dailyCap: 12 };
const service = await startTestService({
  env: { CREDITS_SIGNUP_BONUS: '20', CREDITS_DAILY_FREE: '5', CREDITS_DAILY_CAP: '12' },
});

const hourMs = 3_600_000;

const steps = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      type: fc.constant('spend' as const),
      amount: fc.integer({ min: 1, max: 30 }),
      appId: fc.constantFrom('chat', 'maps'),
      key: fc.option(fc.constantFrom('a', 'b', 'c'), { nil: undefined }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      type: fc.constant('add' as const),
      kind: fc.constantFrom('free' as const, 'paid' as const),
      amount: fc.integer({ min: 1, max: 40 }),
      priority: fc.constantFrom(50, 100),
      lifeHours: fc.option(fc.integer({ min: 1, max: 60 }), { nil: null }),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      type: fc.constant('pass' as const),
      ms: fc.oneof(
        fc.constantFrom(1, hourMs, 24 * hourMs - 1, 24 * hourMs),
        fc.integer({ min: 1, max: 100 * hourMs }),
      ),
    }),
  },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('read' as const) }) },
);
type Step = typeof steps extends fc.Arbitrary<infer T> ? T : never;

const get = async (holder: WalletHolder, path: string) =>
  (await service.send('GET', `/api/v1/credits/${path}`, { token: holder.token })).body;

async function compareBalance(holder: WalletHolder, model: WalletModel): Promise<void> {
  const now = service.clock.now().getTime();
  const lots = model.open(now);
  const { free, paid } = model.balance(now);
  expect(await get(holder, 'balance')).toMatchObject({
    balance: paid,
    freeCreditsRemaining: free,
    available: free + paid,
    totalSpent: model.totalSpent,
    totalEarned: model.totalEarned,
    lots: lots.map(({ source, kind, remaining, expiresAt }) => ({
      source,
      kind,
      remaining,
      expiresAt: expiresAt === null ? null : new Date(expiresAt).toISOString(),
    })),
  });
}

async function spend(
  holder: WalletHolder,
  model: WalletModel,
  step: Step & { type: 'spend' },
): Promise<void> {
  const { amount, appId, key } = step;
  const expected = model.spend({ amount, appId, key }, service.clock.now().getTime());
  const answer = await service.send('POST', '/api/v1/credits/use', {
    token: holder.token,
    body: { amount, appId, description: 'x', ...(key === undefined ? {} : { idempotencyKey: key }) },
  });
  expect(answer.body.code ?? null).toBe(expected.code);
  expect(answer.headers.get('idempotency-replayed') === 'true').toBe(expected.isReplay);
  if (expected.code === 'credits.insufficient') {
    expect(answer.body).toMatchObject({ required: amount, available: expected.free + expected.paid });
  }
  if (expected.code !== null) return;
  const { free, paid } = expected;
  expect(answer.body.newBalance).toMatchObject({ balance: paid, freeCreditsRemaining: free });
  if (expected.isReplay) return;
  const [{ entries }] = await get(holder, 'transactions?limit=1');
  expect(entries.map(({ amount: part }: any) => part)).toEqual([
    ...expected.taken.map((part) => -part),
    amount,
  ]);
}

async function run(holder: WalletHolder, model: WalletModel, step: Step): Promise<void> {
  switch (step.type) {
    case 'pass':
      service.clock.advance({ ms: step.ms });
      return;
    case 'read':
      return compareBalance(holder, model);
    case 'spend':
      return spend(holder, model, step);
    case 'add': {
      const { kind, amount, priority, lifeHours } = step;
      const now = service.clock.now().getTime();
      const expiresAt = lifeHours === null ? null : now + lifeHours * hourMs;
      model.addLot({ source: 'gift', kind, remaining: amount, priority, expiresAt }, now);
      const until = expiresAt === null ? null : new Date(expiresAt).toISOString();
      return addLot(service, holder, { source: 'gift', kind, amount, priority, expiresAt: until });
    }
  }
}

test('any sequence of spends, grants and leaps in time comes to what the model says', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(steps, { minLength: 5, maxLength: 40 }), async (sequence) => {
      service.clock.set('2026-03-01T12:00:00.000Z');
      const holder = await addWalletHolder(service);
      const model = new WalletModel(rules, service.clock.now().getTime());
      for (const step of sequence) {
        // Two lots never share an instant: which of them is older would be anybody's guess.
        service.clock.advance({ ms: 1 });
        await run(holder, model, step);
      }
      await compareBalance(holder, model);
      const { findings } = await verifyLedger(service.ctx.db, { walletId: holder.userId });
      expect(findings).toEqual([]);
    }),
    { numRuns: 100, interruptAfterTimeLimit: 15_000, markInterruptAsFailure: false },
  );
});
