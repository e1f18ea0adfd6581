import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { startTestService } from '../../../../test/harness/index.ts';
import {
  addAdministrator,
  expectSound,
  impossibleAmounts,
  post,
  readOwn,
} from '../../../../test/harness/movements.ts';
import {
  addPerson,
  addTeam,
  codeOf,
  daily,
  emailOf,
  teamOf,
  type TestTeam,
} from '../../../../test/harness/teams.ts';
import {
  addLot,
  addWalletHolder,
  connectAsOwner,
  type WalletHolder,
} from '../../../../test/harness/wallets.ts';

const service = await startTestService({ env: { CREDITS_TRANSFER_BONUS: 'true' } });
const owner = await connectAsOwner(service);
const admin = await addAdministrator(service);
let boss: WalletHolder;
let ada: WalletHolder;
let team: TestTeam;

beforeEach(async () => {
  service.clock.set('2026-03-01T12:00:00.000Z');
  [boss, ada] = await Promise.all([addPerson(service, owner), addPerson(service, owner)]);
  team = await addTeam(service, boss);
});
afterEach(() => expectSound(service));

describe('a team', () => {
  test('begins with an empty wallet, without daily credits, and its maker as the owner', async () => {
    service.clock.advance({ days: 3 });
    expect(await team.read(boss)).toMatchObject({
      id: team.id,
      name: 'Research',
      role: 'owner',
      available: 0,
      limit: null,
      balance: { available: 0, debt: 0, status: 'active', lots: [] },
    });
    expect(await readOwn(service, boss, 'teams')).toMatchObject([
      { id: team.id, role: 'owner', available: 0 },
    ]);
    expect(await team.read(boss, `teams/${team.id}/members`)).toMatchObject([
      { userId: boss.userId, email: emailOf(boss), role: 'owner', limit: null },
    ]);
  });

  test('is nothing to those who are not in it', async () => {
    await team.transfer(boss, 50);
    const someone = await addWalletHolder(service);
    for (const { id, ...others } of [team, teamOf(service, boss, randomUUID())]) {
      const answers = [
        await others.get(ada),
        await others.get(ada, `teams/${id}/members`),
        await others.get(ada, `teams/${id}/transactions`),
        await others.get(ada, `teams/${id}/statement?month=2026-03`),
        await others.get(ada, `teams/${id}/usage`),
        await others.get(ada, `teams/${id}/invitations`),
        await others.invite(ada, 'x@example.com'),
        await others.withdraw(ada, randomUUID()),
        await others.transfer(ada, 5),
        await others.use(ada, 5),
        await others.hold(ada, 5),
        await others.change(ada, boss, { role: 'member' }),
        await others.remove(ada, boss),
        await others.remove(ada, someone),
      ];
      expect(answers.map(codeOf)).toEqual(answers.map(() => 'request.not_found'));
    }
    expect(await readOwn(service, ada, 'teams')).toEqual([]);
  });
});

describe('a transfer', () => {
  test('moves lots with kind, source, priority and expiry, in both journals', async () => {
    const expiresAt = new Date(service.clock.now().getTime() + 60_000).toISOString();
    await addLot(service, boss, { source: 'gift', kind: 'free', amount: 20, priority: 1, expiresAt });
    await addLot(service, boss, { source: 'purchase', kind: 'paid', amount: 100, priority: 7 });
    const { status, body } = await team.transfer(boss, 200, { description: 'Buy-in' });
    expect(status).toBe(200);
    expect(body).toMatchObject({
      transaction: {
        type: 'transfer',
        amount: -200,
        description: 'Buy-in',
        metadata: { toWalletId: team.id },
        entries: [{ amount: -20 }, { amount: -150 }, { amount: -30 }, { account: 'transfers', amount: 200 }],
      },
      newBalance: { available: 70, balance: 70, totalSpent: 0 },
    });
    const { balance } = await team.read(boss);
    expect(balance).toMatchObject({
      available: 200,
      balance: 30,
      freeCreditsRemaining: 170,
      totalEarned: 200,
    });
    expect(balance.lots).toMatchObject([
      { source: 'gift', kind: 'free', remaining: 20, expiresAt },
      { source: 'signup', kind: 'free', remaining: 150, expiresAt: null },
      { source: 'purchase', kind: 'paid', remaining: 30, expiresAt: null },
    ]);
    const [received] = await team.read(boss, `teams/${team.id}/transactions`);
    expect(received).toMatchObject({
      type: 'transfer',
      amount: 200,
      metadata: { fromWalletId: boss.userId, transactionId: body.transaction.id },
    });
    expect(body.transaction.metadata.transactionId).toBe(received.id);
    service.clock.advance({ seconds: 60 });
    expect((await team.read(boss)).available).toBe(180);
  });

  test('of daily credits keeps them daily; of one age and kind they become one lot', async () => {
    await team.join(ada);
    service.clock.advance({ days: 1 });
    for (const holder of [boss, ada]) await team.transfer(holder, 155);
    const { lots } = (await team.read(boss)).balance;
    expect(lots.map(({ source, remaining }: any) => [source, remaining]).toSorted()).toEqual([
      ['daily', 10],
      ['signup', 300],
    ]);
  });

  test('many small ones of one lot leave one lot, which expires with it', async () => {
    const expiresAt = new Date(service.clock.now().getTime() + 60_000).toISOString();
    await addLot(service, boss, { source: 'gift', kind: 'free', amount: 100, expiresAt, priority: 1 });
    for (let count = 0; count < 10; count++) {
      service.clock.advance({ ms: 1 });
      expect((await team.transfer(boss, 4)).status).toBe(200);
    }
    expect((await team.use(boss, 15)).status).toBe(200);
    expect((await team.transfer(boss, 5)).status).toBe(200);
    const { lots } = (await team.read(boss)).balance;
    expect(lots).toMatchObject([{ source: 'gift', remaining: 30, expiresAt }]);
    service.clock.advance({ seconds: 60 });
    expect((await team.read(boss)).balance).toMatchObject({ available: 0, totalEarned: 45, lots: [] });
  });

  test('does not grow a lot of another age, nor one that has been used up', async () => {
    const remaining = async () => (await team.read(boss)).balance.lots.map((lot: any) => lot.remaining);
    service.clock.advance({ days: 1 });
    for (const amount of [100, 55]) await team.transfer(boss, amount);
    expect(await remaining()).toEqual([150, 5]);
    service.clock.advance({ days: 1 });
    await team.transfer(boss, 3);
    expect(await remaining()).toEqual([150, 5, 3]);
    expect((await team.use(boss, 157)).status).toBe(200);
    await team.transfer(boss, 1);
    expect(await remaining()).toEqual([2]);
    expect((await team.use(boss, 2)).status).toBe(200);
    await team.transfer(boss, 1);
    expect(await remaining()).toEqual([1]);
  });

  test('happens once per key; of many at once as many as the funds allow', async () => {
    const idempotencyKey = randomUUID();
    const copies = await Promise.all(
      Array.from({ length: 20 }, () => team.transfer(boss, 10, { idempotencyKey })),
    );
    expect(new Set(copies.map(({ body }) => JSON.stringify(body))).size).toBe(1);
    expect((await team.read(boss)).available).toBe(10);
    expect(codeOf(await team.transfer(boss, 11, { idempotencyKey }))).toBe('idempotency.mismatch');
    const many = await Promise.all(Array.from({ length: 30 }, () => team.transfer(boss, 10)));
    expect(many.filter(({ status }) => status === 200)).toHaveLength(14);
    expect(many.find(({ status }) => status !== 200)?.body).toMatchObject({
      code: 'credits.insufficient',
      required: 10,
      available: 0,
    });
    expect((await team.read(boss)).available).toBe(150);
  });

  test('back and forth between wallets and teams never waits in a circle', async () => {
    await team.join(ada);
    const other = await addTeam(service, boss, 'Other');
    const moves = [() => team.transfer(boss, 1), () => other.transfer(boss, 1), () => team.transfer(ada, 1)];
    const answers = await Promise.all(Array.from({ length: 40 }, () => moves.map((move) => move())).flat());
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
  });

  test('repays what the team owes first', async () => {
    await post(service, admin, 'adjustments', { walletId: team.id, amount: 30, description: 'Damage' });
    await team.transfer(boss, 100);
    expect((await team.read(boss)).balance).toMatchObject({ available: 70, debt: 0 });
  });

  test.each([
    ['who owes', 'credits.in_debt'],
    ['who is frozen', 'credits.wallet_inactive'],
  ])('is not for %s', async (who, refusal) => {
    await (who === 'who owes'
      ? post(service, admin, 'adjustments', { userId: boss.userId, amount: 200, description: 'x' })
      : owner.query(`update credits.balances set status = 'frozen' where wallet_id = $1`, [boss.userId]));
    expect(codeOf(await team.transfer(boss, 5))).toBe(refusal);
  });

  test('is not into a frozen team, nor beyond what can be counted', async () => {
    await post(service, admin, 'grants', { walletId: team.id, amount: 2 ** 53 - 1, description: 'x' });
    expect(codeOf(await team.transfer(boss, 1))).toBe('credits.too_many');
    await owner.query(`update credits.balances set status = 'frozen' where wallet_id = $1`, [team.id]);
    expect(codeOf(await team.transfer(boss, 1))).toBe('credits.wallet_inactive');
  });

  test.each(impossibleAmounts)('of %j is refused with a field error', async (amount) => {
    expect(await team.transfer(boss, amount)).toMatchObject({
      status: 400,
      body: { errors: [{ path: '/body/amount' }] },
    });
  });
});

describe("a team's history", () => {
  test('adds up for its admins: statement, transactions and usage', async () => {
    await team.transfer(boss, 100);
    await team.join(ada, { limit: daily(50) });
    for (const amount of [5, 7]) await team.use(ada, amount);
    const statement = await team.read(boss, `teams/${team.id}/statement?month=2026-03`);
    expect(statement).toMatchObject({ opening: 0, closing: 88 });
    expect(statement.movements.map(({ amount }: any) => amount)).toEqual([100, -5, -7]);
    const csv = await team.get(boss, `teams/${team.id}/statement?month=2026-03&format=csv`);
    expect(csv.headers.get('content-type')).toContain('text/csv');
    expect(await team.read(boss, `teams/${team.id}/usage`)).toMatchObject({
      totals: { count: 2, amount: 12 },
    });
    const page = await team.get(boss, `teams/${team.id}/transactions?limit=1&type=usage`);
    expect(page.headers.get('x-total-count')).toBe('2');
  });
});
