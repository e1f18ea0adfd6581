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

const service = await startTestService();
const owner = await connectAsOwner(service);
const admin = await addAdministrator(service);
let boss: WalletHolder;
let ada: WalletHolder;
let teamId: string;

const addPerson = async (): Promise<WalletHolder> => {
  const holder = await addWalletHolder(service);
  await owner.query('update auth.users set email_verified_at = created_at where id = $1', [holder.userId]);
  return holder;
};
const emailOf = ({ userId }: WalletHolder) => `${userId}@example.com`;

beforeEach(async () => {
  service.clock.set('2026-03-01T12:00:00.000Z');
  [boss, ada] = await Promise.all([addPerson(), addPerson()]);
  teamId = (await post(service, boss, 'teams', { name: 'Research' })).body.id;
});
afterEach(() => expectSound(service));

const invite = (by: WalletHolder, email: string, more: Record<string, unknown> = {}) =>
  post(service, by, `teams/${teamId}/invitations`, { email, ...more });
const accept = (by: WalletHolder, id: string) => post(service, by, `invitations/${id}/accept`, {});
const join = async (holder: WalletHolder, more: Record<string, unknown> = {}): Promise<WalletHolder> => {
  const { status, body } = await invite(boss, emailOf(holder), more);
  expect(status).toBe(201);
  expect(await accept(holder, body.id)).toMatchObject({ status: 200, body: { success: true, teamId } });
  return holder;
};
const transfer = (by: WalletHolder, amount: unknown, more: Record<string, unknown> = {}) =>
  post(service, by, `teams/${teamId}/transfers`, { amount, ...more });
const use = (by: WalletHolder, amount: number, more: Record<string, unknown> = {}) =>
  post(service, by, 'use', { amount, appId: 'chat', description: 'Chat', walletId: teamId, ...more });
const change = (by: WalletHolder, member: WalletHolder, body: unknown) =>
  service.send('PUT', `/api/v1/credits/teams/${teamId}/members/${member.userId}`, { token: by.token, body });
const remove = (by: WalletHolder, member: WalletHolder) =>
  service.send('DELETE', `/api/v1/credits/teams/${teamId}/members/${member.userId}`, { token: by.token });
const team = (by: WalletHolder) => readOwn(service, by, `teams/${teamId}`);
const get = (by: WalletHolder, path: string) =>
  service.send('GET', `/api/v1/credits/${path}`, { token: by.token });
const code = ({ body }: Answer): string | null => body.code ?? null;
const daily = (allowance: number) => ({ allowance, period: 'day' });

describe('a team', () => {
  test('begins with an empty wallet, without daily credits, and its maker as the owner', async () => {
    service.clock.advance({ days: 3 });
    expect(await team(boss)).toMatchObject({
      id: teamId,
      name: 'Research',
      role: 'owner',
      available: 0,
      limit: null,
      balance: { available: 0, debt: 0, status: 'active', lots: [] },
    });
    expect(await readOwn(service, boss, 'teams')).toMatchObject([
      { id: teamId, role: 'owner', available: 0 },
    ]);
    expect(await readOwn(service, boss, `teams/${teamId}/members`)).toMatchObject([
      { userId: boss.userId, email: emailOf(boss), role: 'owner', limit: null },
    ]);
  });

  test('is nothing to those who are not in it', async () => {
    await transfer(boss, 50);
    const unknown = teamId;
    for (const id of [unknown, randomUUID()]) {
      teamId = id;
      const answers = [
        await get(ada, `teams/${id}`),
        await get(ada, `teams/${id}/members`),
        await get(ada, `teams/${id}/transactions`),
        await get(ada, `teams/${id}/statement?month=2026-03`),
        await get(ada, `teams/${id}/usage`),
        await get(ada, `teams/${id}/invitations`),
        await invite(ada, 'x@example.com'),
        await transfer(ada, 5),
        await use(ada, 5),
        await post(service, ada, 'holds', { amount: 5, appId: 'chat', description: 'x', walletId: id }),
        await change(ada, boss, { role: 'member' }),
        await remove(ada, boss),
      ];
      expect(answers.map(code)).toEqual(answers.map(() => 'request.not_found'));
    }
    expect(await readOwn(service, ada, 'teams')).toEqual([]);
  });
});

describe('a transfer', () => {
  test('moves lots with kind, source, priority and expiry, in both journals', async () => {
    const expiresAt = new Date(service.clock.now().getTime() + 60_000).toISOString();
    await addLot(service, boss, { source: 'gift', kind: 'free', amount: 20, priority: 1, expiresAt });
    await addLot(service, boss, { source: 'purchase', kind: 'paid', amount: 100, priority: 7 });
    const { status, body } = await transfer(boss, 200, { description: 'Buy-in' });
    expect(status).toBe(200);
    expect(body).toMatchObject({
      transaction: {
        type: 'transfer',
        amount: -200,
        description: 'Buy-in',
        metadata: { toWalletId: teamId },
        entries: [{ amount: -20 }, { amount: -150 }, { amount: -30 }, { account: 'transfers', amount: 200 }],
      },
      newBalance: { available: 70, balance: 70, totalSpent: 0 },
    });
    const { balance } = await team(boss);
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
    const [received] = await readOwn(service, boss, `teams/${teamId}/transactions`);
    expect(received).toMatchObject({
      type: 'transfer',
      amount: 200,
      metadata: { fromWalletId: boss.userId, transactionId: body.transaction.id },
    });
    expect(body.transaction.metadata.transactionId).toBe(received.id);
    service.clock.advance({ seconds: 60 });
    expect((await team(boss)).available).toBe(180);
  });

  test('of daily credits keeps them daily, from several members at the same instant', async () => {
    await join(ada);
    service.clock.advance({ days: 1 });
    for (const holder of [boss, ada]) await transfer(holder, 155);
    const { lots } = (await team(boss)).balance;
    expect(lots.map(({ source, remaining }: any) => [source, remaining]).toSorted()).toEqual([
      ['daily', 5],
      ['daily', 5],
      ['signup', 150],
      ['signup', 150],
    ]);
  });

  test('happens once per key; of many at once as many as the funds allow', async () => {
    const idempotencyKey = randomUUID();
    const copies = await Promise.all(
      Array.from({ length: 20 }, () => transfer(boss, 10, { idempotencyKey })),
    );
    expect(new Set(copies.map(({ body }) => JSON.stringify(body))).size).toBe(1);
    expect((await team(boss)).available).toBe(10);
    expect(code(await transfer(boss, 11, { idempotencyKey }))).toBe('idempotency.mismatch');
    const many = await Promise.all(Array.from({ length: 30 }, () => transfer(boss, 10)));
    expect(many.filter(({ status }) => status === 200)).toHaveLength(14);
    expect(many.find(({ status }) => status !== 200)?.body).toMatchObject({
      code: 'credits.insufficient',
      required: 10,
      available: 0,
    });
    expect((await team(boss)).available).toBe(150);
  });

  test('back and forth between wallets and teams never waits in a circle', async () => {
    await join(ada);
    const other = (await post(service, boss, 'teams', { name: 'Other' })).body.id;
    const into = (id: string, by: WalletHolder) => post(service, by, `teams/${id}/transfers`, { amount: 1 });
    const answers = await Promise.all(
      Array.from({ length: 40 }, (_, index) => [
        into(teamId, boss),
        into(other, boss),
        into(teamId, ada),
        index,
      ])
        .flat()
        .filter((one) => typeof one !== 'number'),
    );
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
  });

  test('repays what the team owes first', async () => {
    await post(service, admin, 'adjustments', { walletId: teamId, amount: 30, description: 'Damage' });
    await transfer(boss, 100);
    expect((await team(boss)).balance).toMatchObject({ available: 70, debt: 0 });
  });

  test.each([
    ['who owes', 'credits.in_debt'],
    ['who is frozen', 'credits.wallet_inactive'],
  ])('is not for %s', async (who, refusal) => {
    await (who === 'who owes'
      ? post(service, admin, 'adjustments', { userId: boss.userId, amount: 200, description: 'x' })
      : owner.query(`update credits.balances set status = 'frozen' where wallet_id = $1`, [boss.userId]));
    expect(code(await transfer(boss, 5))).toBe(refusal);
  });

  test('is not into a frozen team, nor beyond what can be counted', async () => {
    await post(service, admin, 'grants', { walletId: teamId, amount: 2 ** 53 - 1, description: 'x' });
    expect(code(await transfer(boss, 1))).toBe('credits.too_many');
    await owner.query(`update credits.balances set status = 'frozen' where wallet_id = $1`, [teamId]);
    expect(code(await transfer(boss, 1))).toBe('credits.wallet_inactive');
  });

  test.each(impossibleAmounts)('of %j is refused with a field error', async (amount) => {
    expect(await transfer(boss, amount)).toMatchObject({
      status: 400,
      body: { errors: [{ path: '/body/amount' }] },
    });
  });
});

describe('spending from a team', () => {
  beforeEach(async () => {
    await transfer(boss, 150);
  });

  test('goes up to the limit of the period, and on from the next one', async () => {
    await join(ada, { limit: daily(20) });
    expect(code(await use(ada, 15))).toBeNull();
    expect(await use(ada, 6)).toMatchObject({
      status: 402,
      body: { code: 'mandate.exceeded', limit: 'allowance', remaining: 5 },
    });
    expect(await team(ada)).toMatchObject({
      available: 135,
      limit: { allowance: 20, period: 'day', used: 15, remaining: 5, resetsAt: '2026-03-02T00:00:00.000Z' },
    });
    service.clock.advance({ hours: 12 });
    expect(code(await use(ada, 6))).toBeNull();
  });

  test('of many at once never exceeds the limit, nor the wallet', async () => {
    await join(ada, { limit: daily(50) });
    const answers = await Promise.all(Array.from({ length: 100 }, () => use(ada, 1)));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(50);
    const more = await Promise.all(Array.from({ length: 120 }, () => use(boss, 1)));
    expect(more.filter(({ status }) => status === 200)).toHaveLength(100);
    expect(more.find(({ status }) => status !== 200)?.body.code).toBe('credits.insufficient');
  });

  test('stops at the most that one spend may cost, and keeps to the kinds', async () => {
    await addLot(service, boss, { source: 'purchase', kind: 'paid', amount: 50 });
    await transfer(boss, 50);
    await join(ada, { limit: { allowance: 1000, period: 'total', kinds: ['paid'], maxPerSpend: 30 } });
    expect((await use(ada, 31)).body).toMatchObject({ code: 'mandate.exceeded', limit: 'maxPerSpend' });
    expect(code(await use(ada, 30))).toBeNull();
    expect((await use(ada, 30)).body).toMatchObject({ code: 'credits.insufficient', available: 20 });
    expect((await team(boss)).balance).toMatchObject({ balance: 20, freeCreditsRemaining: 150 });
  });

  test('is nothing for members without a limit of their own, and everything for owners and admins', async () => {
    await join(ada);
    expect(code(await use(ada, 1))).toBe('mandate.exceeded');
    expect(code(await use(boss, 10))).toBeNull();
    const eve = await join(await addPerson(), { role: 'admin' });
    expect(code(await use(eve, 10))).toBeNull();
  });

  test('follows a raised limit with the same key at once, and one lowered, and lifted', async () => {
    await join(ada, { limit: daily(10) });
    const spendOnce = { idempotencyKey: randomUUID() };
    expect(code(await use(ada, 15, spendOnce))).toBe('mandate.exceeded');
    await change(boss, ada, { limit: daily(20) });
    expect(code(await use(ada, 15, spendOnce))).toBeNull();
    await change(boss, ada, { limit: daily(15) });
    expect(code(await use(ada, 1))).toBe('mandate.exceeded');
    await change(boss, ada, { limit: null });
    expect(code(await use(ada, 100))).toBeNull();
    expect((await team(ada)).limit).toBeNull();
  });

  test('by hold sets the allowance aside, gives back what is not captured, and refunds give it back, too', async () => {
    await join(ada, { limit: daily(40) });
    const hold = await post(service, ada, 'holds', {
      amount: 30,
      appId: 'chat',
      description: 'Answer',
      walletId: teamId,
    });
    expect(hold.status).toBe(201);
    expect(code(await use(ada, 11))).toBe('mandate.exceeded');
    const captured = await post(service, ada, `holds/${hold.body.id}/capture`, { amount: 12 });
    expect(captured.status).toBe(200);
    expect(await team(ada)).toMatchObject({ available: 138, limit: { used: 12, remaining: 28 } });
    const refund = await post(service, admin, 'refunds', {
      transactionId: captured.body.transaction.id,
      reason: 'Cut off',
    });
    expect(refund.status).toBe(200);
    expect(await team(ada)).toMatchObject({ available: 150, limit: { used: 0, remaining: 40 } });
  });

  test('holds are moved by whoever placed them and by owners, not by another member', async () => {
    await join(ada, { limit: daily(40) });
    const eve = await join(await addPerson(), { limit: daily(40) });
    const body = { amount: 10, appId: 'chat', description: 'Answer', walletId: teamId };
    const [one, other] = [await post(service, ada, 'holds', body), await post(service, ada, 'holds', body)];
    expect(code(await post(service, eve, `holds/${one?.body.id}/void`, {}))).toBe('request.not_found');
    expect(code(await post(service, ada, `holds/${one?.body.id}/void`, {}))).toBeNull();
    expect(code(await post(service, boss, `holds/${other?.body.id}/void`, {}))).toBeNull();
  });

  test('belongs to one member per key: another is told so', async () => {
    await join(ada, { limit: daily(40) });
    const key = { idempotencyKey: randomUUID() };
    expect(code(await use(ada, 5, key))).toBeNull();
    expect((await use(ada, 5, key)).headers.get('idempotency-replayed')).toBe('true');
    expect(code(await use(boss, 5, key))).toBe('idempotency.mismatch');
  });

  test('can be asked about before', async () => {
    await join(ada, { limit: daily(20) });
    const quote = (amount: number) =>
      post(service, ada, 'quote', { amount, appId: 'chat', walletId: teamId });
    expect((await quote(20)).body).toMatchObject({ passes: true });
    expect((await quote(21)).body).toMatchObject({ passes: false, blockedBy: { code: 'mandate.exceeded' } });
    expect((await quote(160)).body.passes).toBe(false);
  });

  test('leaves the own wallet alone, and the own wallet the team', async () => {
    await join(ada, { limit: daily(20) });
    await use(ada, 5);
    expect((await readOwn(service, ada, 'balance')).available).toBe(150);
    await spend(service, ada, 7);
    expect((await team(ada)).available).toBe(145);
  });
});

describe('members', () => {
  test('join by an invitation to their confirmed address only, once', async () => {
    const { body } = await invite(boss, emailOf(ada).toUpperCase(), { limit: daily(5) });
    expect(await readOwn(service, ada, 'invitations')).toEqual([
      {
        id: body.id,
        teamId,
        teamName: 'Research',
        role: 'member',
        createdAt: service.clock.now().toISOString(),
        expiresAt: '2026-03-15T12:00:00.000Z',
      },
    ]);
    const eve = await addPerson();
    expect(code(await accept(eve, body.id))).toBe('request.not_found');
    expect(code(await accept(ada, body.id))).toBeNull();
    expect(code(await accept(ada, body.id))).toBe('request.not_found');
    expect(await readOwn(service, ada, 'invitations')).toEqual([]);
  });

  test('who have not confirmed their address see no invitations to it', async () => {
    const { body } = await invite(boss, emailOf(ada));
    await owner.query('update auth.users set email_verified_at = null where id = $1', [ada.userId]);
    expect(code(await get(ada, 'invitations'))).toBe('users.email_unverified');
    expect(code(await accept(ada, body.id))).toBe('users.email_unverified');
    const declined = service.send('DELETE', `/api/v1/credits/invitations/${body.id}`, { token: ada.token });
    expect(code(await declined)).toBe('users.email_unverified');
  });

  test('are invited alike whether or not the address has an account', async () => {
    const { body: known } = await invite(boss, emailOf(ada));
    const { body: unknown } = await invite(boss, 'nobody@example.com');
    expect({ ...known, id: null, email: null }).toEqual({ ...unknown, id: null, email: null });
    expect((await readOwn(service, boss, `teams/${teamId}/invitations`)).length).toBe(2);
  });

  test('can decline, and invitations can be taken back, replaced, and end', async () => {
    const { body: first } = await invite(boss, emailOf(ada));
    const path = `/api/v1/credits/invitations/${first.id}`;
    expect((await service.send('DELETE', path, { token: ada.token })).status).toBe(200);
    expect((await service.send('DELETE', path, { token: ada.token })).status).toBe(404);

    const { body: second } = await invite(boss, emailOf(ada));
    const withdraw = () =>
      service.send('DELETE', `/api/v1/credits/teams/${teamId}/invitations/${second.id}`, {
        token: boss.token,
      });
    expect((await withdraw()).status).toBe(200);
    expect((await withdraw()).status).toBe(404);
    expect(code(await accept(ada, second.id))).toBe('request.not_found');

    await invite(boss, emailOf(ada), { role: 'member' });
    const { body: third } = await invite(boss, emailOf(ada), { role: 'admin' });
    expect(await readOwn(service, ada, 'invitations')).toMatchObject([{ id: third.id, role: 'admin' }]);
    service.clock.advance({ days: 14 });
    expect(await readOwn(service, ada, 'invitations')).toEqual([]);
    expect(await readOwn(service, boss, `teams/${teamId}/invitations`)).toEqual([]);
    expect(code(await accept(ada, third.id))).toBe('request.not_found');
  });

  test('are told apart: members spend, admins manage members, owners everybody', async () => {
    await join(ada, { limit: daily(5) });
    const eve = await join(await addPerson(), { role: 'admin' });
    const refused = [
      await invite(ada, 'x@example.com'),
      await get(ada, `teams/${teamId}/transactions`),
      await get(ada, `teams/${teamId}/statement?month=2026-03`),
      await get(ada, `teams/${teamId}/usage`),
      await get(ada, `teams/${teamId}/invitations`),
      await change(ada, ada, { limit: daily(50) }),
      await remove(ada, eve),
      await invite(eve, 'x@example.com', { role: 'owner' }),
      await invite(eve, 'x@example.com', { role: 'admin' }),
      await change(eve, ada, { role: 'admin' }),
      await change(eve, eve, { role: 'owner' }),
      await change(eve, boss, { limit: daily(5) }),
      await remove(eve, boss),
    ];
    expect(refused.map(code)).toEqual(refused.map(() => 'teams.role_required'));
    const allowed = [
      await invite(eve, 'x@example.com'),
      await get(eve, `teams/${teamId}/transactions`),
      await change(eve, ada, { limit: daily(50) }),
      await remove(eve, ada),
      await change(boss, eve, { role: 'owner' }),
      await change(eve, boss, { role: 'member' }),
    ];
    expect(allowed.map(code)).toEqual(allowed.map(() => null));
    expect(code(await invite(eve, emailOf(boss)))).toBe('teams.already_member');
  });

  test('leave and are removed, and spend nothing from then on; the last owner stays', async () => {
    await transfer(boss, 100);
    await join(ada, { limit: daily(50) });
    expect(code(await use(ada, 1))).toBeNull();
    expect((await remove(ada, ada)).status).toBe(200);
    expect(code(await use(ada, 1))).toBe('request.not_found');
    expect(code(await get(ada, `teams/${teamId}`))).toBe('request.not_found');
    expect(code(await remove(boss, boss))).toBe('teams.last_owner');
    expect(code(await change(boss, boss, { role: 'admin' }))).toBe('teams.last_owner');
    expect(code(await remove(boss, ada))).toBe('request.not_found');

    await join(ada, { role: 'owner' });
    expect((await remove(boss, boss)).status).toBe(200);
    expect((await team(ada)).available).toBe(99);
  });

  test('who leave and come back begin anew', async () => {
    await transfer(boss, 100);
    await join(ada, { limit: daily(5) });
    await use(ada, 5);
    await remove(boss, ada);
    await join(ada, { limit: daily(7) });
    expect(await team(ada)).toMatchObject({ limit: { allowance: 7, used: 0 } });
    expect(code(await use(ada, 7))).toBeNull();
  });

  test('two owners who leave at once: one stays', async () => {
    await join(ada, { role: 'owner' });
    const answers = await Promise.all([remove(boss, boss), remove(ada, ada)]);
    expect(new Set(answers.map(code))).toEqual(new Set([null, 'teams.last_owner']));
  });

  test('who accept twice at once are members once', async () => {
    const { body } = await invite(boss, emailOf(ada));
    const answers = await Promise.all(Array.from({ length: 5 }, () => accept(ada, body.id)));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(await readOwn(service, boss, `teams/${teamId}/members`)).toHaveLength(2);
  });

  test.each(impossibleAmounts)('a limit of %j is refused with a field error', async (allowance) => {
    const limit = { allowance, period: 'day' };
    for (const answer of [
      await invite(boss, 'x@example.com', { limit }),
      await change(boss, boss, { limit }),
    ]) {
      expect(answer).toMatchObject({ status: 400, body: { errors: [{ path: '/body/limit/allowance' }] } });
    }
  });
});

describe("a team's history", () => {
  test('adds up for its admins: statement, transactions and usage', async () => {
    await transfer(boss, 100);
    await join(ada, { limit: daily(50) });
    for (const amount of [5, 7]) await use(ada, amount);
    const statement = await readOwn(service, boss, `teams/${teamId}/statement?month=2026-03`);
    expect(statement).toMatchObject({ opening: 0, closing: 88 });
    expect(statement.movements.map(({ amount }: any) => amount)).toEqual([100, -5, -7]);
    const csv = await get(boss, `teams/${teamId}/statement?month=2026-03&format=csv`);
    expect(csv.headers.get('content-type')).toContain('text/csv');
    expect(await readOwn(service, boss, `teams/${teamId}/usage`)).toMatchObject({
      totals: { count: 2, amount: 12 },
    });
    const page = await get(boss, `teams/${teamId}/transactions?limit=1&type=usage`);
    expect(page.headers.get('x-total-count')).toBe('2');
  });
});
