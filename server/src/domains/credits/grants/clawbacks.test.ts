import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { startTestService, type Answer } from '../../../../test/harness/index.ts';
import {
  addAdministrator,
  expectSound,
  impossibleAmounts,
  post,
  readOwn,
  spend,
} from '../../../../test/harness/movements.ts';
import {
  addLot,
  addWalletHolder,
  connectAsOwner,
  type WalletHolder,
} from '../../../../test/harness/wallets.ts';
import { clawBackCredits } from './claw-back-credits.ts';

const service = await startTestService({ env: { CREDITS_DAILY_FREE: '0' } });
const owner = await connectAsOwner(service);
const admin = await addAdministrator(service);
let holder: WalletHolder;

beforeEach(async () => {
  holder = await addWalletHolder(service);
});
afterEach(() => expectSound(service));

const refund = (transactionId: string, more: Record<string, unknown> = {}) =>
  post(service, admin, 'refunds', { transactionId, reason: 'Cut off', ...more });
const clawBack = (transactionId: string, more: Record<string, unknown> = {}) =>
  post(service, admin, 'clawbacks', { transactionId, reason: 'Charged back', ...more });
const buy = async (amount: number, more: Record<string, unknown> = {}): Promise<string> => {
  const body = {
    userId: holder.userId,
    amount,
    kind: 'paid',
    source: 'purchase',
    description: 'Pack',
    ...more,
  };
  const answer = await post(service, admin, 'grants', body);
  expect(answer.status).toBe(200);
  return answer.body.transaction.id;
};
const balance = () => readOwn(service, holder, 'balance');
const later = (minutes: number) => new Date(service.clock.now().getTime() + minutes * 60_000).toISOString();

const buyExpiring = () => buy(100, { kind: 'free', priority: 1, expiresAt: later(10) });
/** A clawback and another act come to no debt, whichever is first. */
const expectNoDebt = async (purchase: string, giveBack: () => Promise<Answer>, first: string) => {
  const acts = [() => clawBack(purchase, { amount: 60 }), giveBack];
  if (first !== 'clawback') acts.reverse();
  for (const act of acts) expect((await act()).status).toBe(200);
  expect(await balance()).toMatchObject({ debt: 0, available: 150, held: 0 });
  expect((await clawBack(purchase)).body.newBalance.debtChange).toBe(0);
};

describe('a clawback', () => {
  test('takes back what the lot still has', async () => {
    const purchase = await buy(100);
    const { body } = await clawBack(purchase);
    expect(body.transaction).toMatchObject({ type: 'clawback', amount: -100, reversesId: purchase });
    expect(body.transaction.entries).toEqual([
      { account: `wallet:${holder.userId}:paid`, amount: -100, lotId: expect.any(String) },
      { account: 'sales:manual', amount: 100, lotId: null },
    ]);
    expect(await balance()).toMatchObject({ balance: 0, available: 150, debt: 0 });
  });

  test('makes what is spent a debt, and touches no other lot', async () => {
    const purchase = await buy(100, { priority: 1 });
    await buy(40, { priority: 2 });
    await spend(service, holder, 210);
    const { body } = await clawBack(purchase);
    expect(body.transaction).toMatchObject({
      amount: -40,
      entries: [{ amount: -40 }, { account: `receivable:${holder.userId}`, amount: -60 }, { amount: 100 }],
    });
    expect(body.newBalance).toMatchObject({ available: 40, debtChange: 60 });
    expect(await balance()).toMatchObject({ debt: 60, available: 40 });
    await buy(50);
    expect(await balance()).toMatchObject({ debt: 10, available: 40 });
    await buy(50);
    expect(await balance()).toMatchObject({ debt: 0, available: 80 });
  });

  test('in parts, never more than came in', async () => {
    const purchase = await buy(100);
    await spend(service, holder, 220);
    expect((await clawBack(purchase, { amount: 20 })).body.newBalance.debtChange).toBe(0);
    expect((await clawBack(purchase, { amount: 20 })).body.newBalance.debtChange).toBe(10);
    expect((await clawBack(purchase, { amount: 61 })).body).toMatchObject({
      code: 'credits.clawback_exceeds',
      recoverable: 60,
    });
    expect((await clawBack(purchase)).body.newBalance.debtChange).toBe(60);
    expect((await clawBack(purchase)).body).toMatchObject({
      code: 'credits.clawback_exceeds',
      recoverable: 0,
    });
  });

  test('of 50 at once takes back once what came in', async () => {
    const purchase = await buy(100);
    const answers = await Promise.all(Array.from({ length: 50 }, () => clawBack(purchase, { amount: 7 })));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(14);
    expect(await balance()).toMatchObject({ balance: 2, debt: 0 });
  });

  test('does not ask for what expired unused, however often it comes', async () => {
    const purchase = await buy(100, { expiresAt: later(10) });
    await spend(service, holder, 160);
    service.clock.advance({ minutes: 11 });
    expect((await balance()).balance).toBe(0);
    const { body } = await clawBack(purchase, { amount: 70 });
    expect(body.transaction).toMatchObject({
      amount: 0,
      entries: [
        { account: 'expired', amount: -70 },
        { account: 'sales:manual', amount: 70 },
      ],
    });
    expect((await clawBack(purchase)).body.transaction.entries).toMatchObject([
      { account: 'expired', amount: -20 },
      { account: `receivable:${holder.userId}`, amount: -10 },
      { amount: 30 },
    ]);
  });

  test('before a refund: what the refund returns repays the debt', async () => {
    const purchase = await buy(100);
    const { id } = await spend(service, holder, 250);
    await clawBack(purchase);
    expect(await balance()).toMatchObject({ debt: 100, available: 0 });
    await refund(id, { amount: 70 });
    expect(await balance()).toMatchObject({ debt: 30, available: 0 });
    await refund(id);
    expect(await balance()).toMatchObject({ debt: 0, balance: 0, available: 150 });
  });

  describe('of what expired while it was spent or held leaves no debt once that is given back', () => {
    test.each(['clawback', 'refund'])('by a refund, the %s first', async (first) => {
      const purchase = await buyExpiring();
      const { id } = await spend(service, holder, 100);
      service.clock.advance({ minutes: 10 });
      await expectNoDebt(purchase, () => refund(id), first);
    });

    test.each(['clawback', 'void'])('by the end of a hold, the %s first', async (first) => {
      const purchase = await buyExpiring();
      const asked = { amount: 100, appId: 'chat', description: 'Answer' };
      const { id } = (await post(service, holder, 'holds', asked)).body;
      service.clock.advance({ minutes: 10 });
      await expectNoDebt(purchase, () => post(service, holder, `holds/${id}/void`, {}), first);
    });
  });

  test('of a purchase that had repaid a debt brings the debt back', async () => {
    await spend(service, holder, 150);
    await post(service, admin, 'adjustments', { userId: holder.userId, amount: 30, description: 'x' });
    const purchase = await buy(100);
    expect(await balance()).toMatchObject({ debt: 0, balance: 70 });
    await clawBack(purchase);
    expect(await balance()).toMatchObject({ debt: 30, balance: 0 });
  });

  test('is of a purchase or grant: of nothing else', async () => {
    const { id } = await spend(service, holder, 60);
    const [signup] = (await readOwn(service, holder, 'transactions')).toReversed();
    expect((await clawBack(id)).body.code).toBe('request.not_found');
    expect((await clawBack(randomUUID())).body.code).toBe('request.not_found');
    expect((await clawBack(signup.id)).body.newBalance.debtChange).toBe(60);
  });

  test('happens once per key, is for administrators, and stands in the audit trail', async () => {
    const purchase = await buy(100);
    const idempotencyKey = randomUUID();
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => clawBack(purchase, { amount: 10, idempotencyKey })),
    );
    expect(new Set(answers.map(({ body }) => JSON.stringify(body))).size).toBe(1);
    const refused = await post(service, holder, 'clawbacks', { transactionId: purchase, reason: 'x' });
    expect(refused.body.code).toBe('auth.admin_required');
    const { rows } = await owner.query('select * from audit.events where target_id = $1', [purchase]);
    expect(rows).toMatchObject([
      { action: 'credits.clawed_back', actor_id: admin.userId, reason: 'Charged back' },
    ]);
  });

  test('leaves holds alone: what they give back later repays the debt', async () => {
    const purchase = await buy(100);
    await spend(service, holder, 150);
    const hold = await post(service, holder, 'holds', { amount: 80, appId: 'chat', description: 'Answer' });
    expect((await clawBack(purchase)).body.newBalance.debtChange).toBe(80);
    expect(await balance()).toMatchObject({ debt: 80, available: 0, held: 80 });
    await post(service, holder, `holds/${hold.body.id}/capture`, { amount: 30 });
    expect(await balance()).toMatchObject({ debt: 30, available: 0, held: 0, totalSpent: 180 });
  });

  test('is for the service itself, too, when a payment is charged back', async () => {
    const transactionId = await buy(100);
    const given = { transactionId, amount: 60, reason: 'Dispute', idempotencyKey: 'stripe dp_1' };
    const { answer } = await clawBackCredits(service.ctx, { isService: true }, given);
    expect(answer).toMatchObject({ transaction: { amount: -60 }, newBalance: { balance: 40 } });
    expect((await clawBackCredits(service.ctx, { isService: true }, given)).isReplay).toBe(true);
    const { rows } = await owner.query('select * from audit.events where target_id = $1', [transactionId]);
    expect(rows).toMatchObject([{ actor_type: 'system', actor_id: null, reason: 'Dispute' }]);
  });

  test('of a frozen wallet works all the same', async () => {
    const purchase = await buy(100);
    await owner.query(`update credits.balances set status = 'frozen' where wallet_id = $1`, [holder.userId]);
    expect((await clawBack(purchase)).status).toBe(200);
  });
});

test('a repayment takes from lots in the order of consumption and closes what it empties', async () => {
  await post(service, admin, 'adjustments', { userId: holder.userId, amount: 175, description: 'x' });
  await addLot(service, holder, { source: 'gift', kind: 'free', amount: 25 });
  expect(await balance()).toMatchObject({ debt: 0, available: 0, lots: [], totalEarned: 175 });
});

test.each(impossibleAmounts)('an amount of %j is refused with a field error', async (amount) => {
  const body = { transactionId: randomUUID(), amount, reason: 'x' };
  expect(await post(service, admin, 'clawbacks', body)).toMatchObject({
    status: 400,
    body: { errors: [{ path: '/body/amount' }] },
  });
});
