import fc from 'fast-check';
import { expect, test } from 'vitest';
import { startTestService } from '../../../test/harness/index.ts';
import { addAdministrator, post } from '../../../test/harness/movements.ts';
import { addWalletHolder, type WalletHolder } from '../../../test/harness/wallets.ts';
import { WalletModel } from '../../../test/harness/wallet-model.ts';
import { verifyLedger } from './index.ts';

const rules = { signupBonus: 20, dailyFree: 5, dailyCap: 12 };
const service = await startTestService({
  env: { CREDITS_SIGNUP_BONUS: '20', CREDITS_DAILY_FREE: '5', CREDITS_DAILY_CAP: '12' },
});

const admin = await addAdministrator(service);
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
  {
    weight: 1,
    arbitrary: fc.record({ type: fc.constant('take' as const), amount: fc.integer({ min: 1, max: 60 }) }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      type: fc.constantFrom('refund' as const, 'clawBack' as const),
      /** Which spend or lot, counted from the first and round again. */
      place: fc.nat(30),
      amount: fc.option(fc.integer({ min: 1, max: 30 }), { nil: undefined }),
    }),
  },
);
type Step = typeof steps extends fc.Arbitrary<infer T> ? T : never;

/** A wallet, the model of it, and what of both belongs together. */
type Scene = {
  holder: WalletHolder;
  model: WalletModel;
  spendIds: string[];
  grants: { id: string; lot: ReturnType<WalletModel['addLot']> }[];
};

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
    debt: model.debt,
    lots: lots.map(({ source, kind, remaining, expiresAt }) => ({
      source,
      kind,
      remaining,
      expiresAt: expiresAt === null ? null : new Date(expiresAt).toISOString(),
    })),
  });
}

async function spend({ holder, model, spendIds }: Scene, step: Step & { type: 'spend' }): Promise<void> {
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
  const [{ id, entries }] = await get(holder, 'transactions?limit=1');
  spendIds.push(id);
  expect(entries.map(({ amount: part }: any) => part)).toEqual([
    ...expected.taken.map((part) => -part),
    amount,
  ]);
}

async function undo(
  { model, spendIds, grants }: Scene,
  { type, place, amount }: Step & { type: 'refund' | 'clawBack' },
): Promise<void> {
  const count = type === 'refund' ? spendIds.length : grants.length;
  if (count === 0) return;
  const nth = place % count;
  const now = service.clock.now().getTime();
  const grant = grants[nth];
  const expected =
    type === 'refund' || !grant ? model.refund(nth, amount, now) : model.clawBack(grant.lot, amount, now);
  const transactionId = type === 'refund' ? spendIds[nth] : grant?.id;
  const path = type === 'refund' ? 'refunds' : 'clawbacks';
  const { body } = await post(service, admin, path, {
    transactionId,
    reason: 'x',
    ...(amount ? { amount } : {}),
  });
  expect(body.code ?? null).toBe(expected.code);
  if (expected.code !== null) expect(body.refundable ?? body.recoverable).toBe(expected.left);
}

async function add(
  { holder, model, grants }: Scene,
  { kind, amount, priority, lifeHours }: Step & { type: 'add' },
): Promise<void> {
  const now = service.clock.now().getTime();
  const expiresAt = lifeHours === null ? null : now + lifeHours * hourMs;
  const lot = model.addLot({ source: 'gift', kind, remaining: amount, priority, expiresAt }, now);
  const until = expiresAt === null ? {} : { expiresAt: new Date(expiresAt).toISOString() };
  const body = { userId: holder.userId, amount, kind, priority, description: 'x', ...until };
  const answer = await post(service, admin, 'grants', body);
  expect(answer.status).toBe(200);
  grants.push({ id: answer.body.transaction.id, lot });
}

async function run(scene: Scene, step: Step): Promise<void> {
  const { holder, model } = scene;
  switch (step.type) {
    case 'pass':
      service.clock.advance({ ms: step.ms });
      return;
    case 'read':
      return compareBalance(holder, model);
    case 'spend':
      return spend(scene, step);
    case 'refund':
    case 'clawBack':
      return undo(scene, step);
    case 'add':
      return add(scene, step);
    case 'take': {
      model.takeAway(step.amount, service.clock.now().getTime());
      const body = { userId: holder.userId, amount: step.amount, description: 'x' };
      expect((await post(service, admin, 'adjustments', body)).status).toBe(200);
    }
  }
}

test('any sequence of spends, grants, take-backs, give-backs and leaps in time comes to what the model says', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(steps, { minLength: 5, maxLength: 40 }), async (sequence) => {
      service.clock.set('2026-03-01T12:00:00.000Z');
      const holder = await addWalletHolder(service);
      const model = new WalletModel(rules, service.clock.now().getTime());
      const scene: Scene = { holder, model, spendIds: [], grants: [] };
      for (const step of sequence) {
        // Two lots never share an instant: which of them is older would be anybody's guess.
        service.clock.advance({ ms: 1 });
        await run(scene, step);
      }
      await compareBalance(holder, model);
      const { findings } = await verifyLedger(service.ctx.db, { walletId: holder.userId });
      expect(findings).toEqual([]);
    }),
    { numRuns: 100, interruptAfterTimeLimit: 15_000, markInterruptAsFailure: false },
  );
});
