import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { startTestService } from '../../../../test/harness/index.ts';
import {
  addAdministrator,
  expectSound,
  impossibleAmounts,
  post,
  readOwn,
  spend,
} from '../../../../test/harness/movements.ts';
import { addWalletHolder, connectAsOwner, type WalletHolder } from '../../../../test/harness/wallets.ts';

const service = await startTestService();
const owner = await connectAsOwner(service);
const admin = await addAdministrator(service);
let holder: WalletHolder;

beforeEach(async () => {
  holder = await addWalletHolder(service);
});
afterEach(() => expectSound(service));

const grant = (more: Record<string, unknown> = {}) =>
  post(service, admin, 'grants', { userId: holder.userId, amount: 100, description: 'Thank you', ...more });
const take = (more: Record<string, unknown> = {}) =>
  post(service, admin, 'adjustments', { userId: holder.userId, amount: 40, description: 'Sorry', ...more });
const smallest = () => ({ userId: holder.userId, amount: 5, description: 'x' });
const balance = () => readOwn(service, holder, 'balance');
const auditEvents = async (action: string) =>
  (
    await owner.query('select * from audit.events where target_id = $1 and action = $2', [
      holder.userId,
      action,
    ])
  ).rows;

describe('a grant', () => {
  test('is a lot of its own, with kind, source, priority and expiry', async () => {
    const answer = await grant({
      kind: 'paid',
      source: 'purchase',
      priority: 7,
      expiresAt: '2027-01-01T00:00:00Z',
    });
    expect(answer.status).toBe(200);
    expect(answer.body).toMatchObject({
      success: true,
      transaction: {
        type: 'purchase',
        amount: 100,
        balanceBefore: 150,
        balanceAfter: 250,
        description: 'Thank you',
        appId: null,
        entries: [
          { account: `wallet:${holder.userId}:paid`, amount: 100, lotId: expect.any(String) },
          { account: 'sales:manual', amount: -100, lotId: null },
        ],
      },
      newBalance: { balance: 100, freeCreditsRemaining: 150, available: 250, totalSpent: 0, debtChange: 0 },
    });
    const { lots } = await balance();
    expect(lots).toContainEqual({
      id: answer.body.transaction.entries[0].lotId,
      source: 'purchase',
      kind: 'paid',
      remaining: 100,
      expiresAt: '2027-01-01T00:00:00.000Z',
    });
  });

  test.each([
    ['gift', 'bonus', 'issued:bonus'],
    ['adjustment', 'adjustment', 'adjustments'],
    ['subscription', 'purchase', 'sales:manual'],
  ])('from %s is a %s out of %s', async (source, type, account) => {
    const { body } = await grant({ source });
    expect(body.transaction).toMatchObject({ type, entries: [{ amount: 100 }, { account, amount: -100 }] });
  });

  test('with a lower priority is spent first, and expires on time', async () => {
    const expiresAt = new Date(service.clock.now().getTime() + 60_000).toISOString();
    await grant({ priority: 1, expiresAt });
    await spend(service, holder, 30);
    expect((await balance()).lots[0]).toMatchObject({ source: 'gift', remaining: 70 });
    service.clock.advance({ seconds: 60 });
    expect((await balance()).lots).toMatchObject([{ source: 'signup', remaining: 150 }]);
  });

  test('happens once per key, and says so', async () => {
    const idempotencyKey = randomUUID();
    const answers = await Promise.all(Array.from({ length: 20 }, () => grant({ idempotencyKey })));
    expect(new Set(answers.map(({ body }) => JSON.stringify(body))).size).toBe(1);
    expect(answers.filter(({ headers }) => headers.get('idempotency-replayed') === 'true')).toHaveLength(19);
    expect((await balance()).available).toBe(250);
    expect(await auditEvents('credits.granted')).toHaveLength(1);
    const other = await grant({ idempotencyKey, amount: 101 });
    expect(other.body.code).toBe('idempotency.mismatch');
  });

  test('is remembered when it was refused, too', async () => {
    const idempotencyKey = randomUUID();
    const expiresAt = service.clock.now().toISOString();
    const first = await grant({ idempotencyKey, expiresAt });
    expect(first).toMatchObject({ status: 422, body: { code: 'credits.expires_in_past' } });
    const second = await grant({ idempotencyKey, expiresAt });
    expect(second.body.code).toBe('credits.expires_in_past');
    expect(second.headers.get('idempotency-replayed')).toBe('true');
  });

  test("keys of the administration are not the person's own", async () => {
    const idempotencyKey = randomUUID();
    for (const appId of ['obol', 'admin', 'chat']) await spend(service, holder, 1, { appId, idempotencyKey });
    expect((await grant({ idempotencyKey })).status).toBe(200);
  });

  test('names the wallet by its id or by its person, and both must agree', async () => {
    expect((await grant({ userId: undefined, walletId: holder.userId })).status).toBe(200);
    expect((await grant({ walletId: holder.userId })).status).toBe(200);
    for (const wallet of [{ userId: undefined }, { walletId: admin.userId }]) {
      expect((await grant(wallet)).body.errors[0].path).toBe('/body/walletId');
    }
    expect((await grant({ userId: randomUUID() })).body.code).toBe('request.not_found');
  });

  test('never makes a sum that cannot be counted exactly', async () => {
    expect((await grant({ amount: 2 ** 53 - 1 })).body.code).toBe('credits.too_many');
    expect((await grant({ amount: 2 ** 53 - 1 - 150 })).status).toBe(200);
    expect((await grant({ amount: 1 })).body.code).toBe('credits.too_many');
  });

  test('goes into a frozen wallet, not into a closed one', async () => {
    await owner.query(`update credits.balances set status = 'frozen' where wallet_id = $1`, [holder.userId]);
    expect((await grant()).status).toBe(200);
    await owner.query(`update credits.balances set status = 'closed' where wallet_id = $1`, [holder.userId]);
    expect((await grant()).body.code).toBe('credits.wallet_inactive');
  });

  test('stands in the audit trail with who gave it', async () => {
    const { body } = await grant();
    expect(await auditEvents('credits.granted')).toMatchObject([
      {
        actor_type: 'user',
        actor_id: admin.userId,
        target_type: 'wallet',
        reason: 'Thank you',
        ip_address: '127.0.0.1',
        details: { transactionId: body.transaction.id, amount: 100 },
      },
    ]);
  });
});

describe('an adjustment', () => {
  test('takes credits in the order of consumption', async () => {
    await grant({ amount: 20, priority: 1 });
    const { body } = await take();
    expect(body.transaction).toMatchObject({
      type: 'adjustment',
      amount: -40,
      entries: [{ amount: -20 }, { amount: -20 }, { account: 'adjustments', amount: 40 }],
    });
    expect(body.newBalance).toMatchObject({ available: 130, debtChange: 0, totalSpent: 0 });
  });

  test('makes what is not there a debt, which what comes in next repays first', async () => {
    const { body } = await take({ amount: 200 });
    expect(body.transaction).toMatchObject({ amount: -150, balanceAfter: 0 });
    expect(body.transaction.entries.slice(1)).toEqual([
      { account: `receivable:${holder.userId}`, amount: -50, lotId: null },
      { account: 'adjustments', amount: 200, lotId: null },
    ]);
    expect(body.newBalance.debtChange).toBe(50);
    expect(await balance()).toMatchObject({ available: 0, debt: 50 });

    await grant({ amount: 30 });
    expect(await balance()).toMatchObject({ available: 0, debt: 20, totalEarned: 180 });
    await grant({ amount: 30, kind: 'paid' });
    expect(await balance()).toMatchObject({ available: 10, balance: 10, debt: 0 });
    const [repayment, gift] = await readOwn(service, holder, 'transactions');
    expect(gift).toMatchObject({ type: 'bonus', amount: 30, balanceAfter: 30 });
    expect(repayment).toMatchObject({
      type: 'repayment',
      amount: -20,
      balanceAfter: 10,
      entries: [
        { account: `wallet:${holder.userId}:paid`, amount: -20, lotId: gift.entries[0].lotId },
        { account: `receivable:${holder.userId}`, amount: 20 },
      ],
    });
  });

  test('of an empty wallet is a debt only, and daily credits repay it', async () => {
    await take({ amount: 150 });
    const { body } = await take({ amount: 7 });
    expect(body.transaction).toMatchObject({ amount: 0, balanceBefore: 0, balanceAfter: 0 });
    service.clock.advance({ days: 2 });
    expect(await balance()).toMatchObject({ debt: 0, available: 3 });
  });

  test('happens once per key', async () => {
    const idempotencyKey = randomUUID();
    const answers = await Promise.all(Array.from({ length: 10 }, () => take({ idempotencyKey })));
    expect(new Set(answers.map(({ body }) => JSON.stringify(body))).size).toBe(1);
    expect((await balance()).available).toBe(110);
  });

  test('never makes a debt that cannot be counted exactly', async () => {
    expect((await take({ amount: 2 ** 53 - 1 })).status).toBe(200);
    expect((await take({ amount: 2 ** 53 - 1 })).body.code).toBe('credits.too_many');
  });
});

describe.each(['grants', 'adjustments'])('%s', (path) => {
  test.each(impossibleAmounts)('an amount of %j is refused with a field error', async (amount) => {
    const answer = await post(service, admin, path, { ...smallest(), amount });
    expect(answer).toMatchObject({ status: 400, body: { errors: [{ path: '/body/amount' }] } });
  });

  test('are for administrators, as the role is now', async () => {
    expect(await post(service, holder, path, smallest())).toMatchObject({
      status: 403,
      body: { code: 'auth.admin_required' },
    });
    expect((await service.send('POST', `/api/v1/credits/${path}`, { body: smallest() })).status).toBe(401);
    const former = await addAdministrator(service);
    await owner.query(`update auth.users set role = 'user' where id = $1`, [former.userId]);
    expect((await post(service, former, path, smallest())).body.code).toBe('auth.admin_required');
    await owner.query(`update auth.sessions set revoked_at = $2 where user_id = $1`, [
      former.userId,
      service.clock.now(),
    ]);
    expect((await post(service, former, path, smallest())).body.code).toBe('auth.session_ended');
  });
});
