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
import { addWalletHolder, connectAsOwner, type WalletHolder } from '../../../../test/harness/wallets.ts';

const service = await startTestService();
const owner = await connectAsOwner(service);
const admin = await addAdministrator(service);
let holder: WalletHolder;

beforeEach(async () => {
  holder = await addWalletHolder(service);
});
afterEach(() => expectSound(service));

const path = '/api/v1/credits/codes';
const create = (more: Record<string, unknown> = {}, by = admin) =>
  post(service, by, 'codes', { amount: 50, description: 'Welcome gift', ...more });
const newCode = async (more: Record<string, unknown> = {}): Promise<{ id: string; code: string }> => {
  service.clock.advance({ ms: 1 });
  const answer = await create(more);
  expect(answer.status).toBe(201);
  return answer.body;
};
const redeem = (code: string, by = holder, more: Record<string, unknown> = {}) =>
  post(service, by, 'codes/redeem', { code, ...more });
const revoke = (id: string, by = admin) => service.send('DELETE', `${path}/${id}`, { token: by.token });
const list = (query = '', by = admin) => service.send('GET', `${path}${query}`, { token: by.token });
const later = (ms: number) => new Date(service.clock.now().getTime() + ms).toISOString();
const holders = (count: number) => Promise.all(Array.from({ length: count }, () => addWalletHolder(service)));

describe('a code', () => {
  test('brings its credits, with the kind, priority and life that it says', async () => {
    const { code } = await newCode({ kind: 'paid', priority: 3, lotLifetimeDays: 2 });
    const { status, body } = await redeem(code);
    expect(status).toBe(200);
    expect(body).toMatchObject({
      transaction: { type: 'bonus', amount: 50, description: 'Welcome gift' },
      newBalance: { balance: 50, available: 200 },
    });
    expect(body.transaction.entries[1]).toMatchObject({ account: 'issued:bonus', amount: -50 });
    expect((await readOwn(service, holder, 'balance')).lots).toContainEqual({
      id: body.transaction.entries[0].lotId,
      source: 'gift',
      kind: 'paid',
      remaining: 50,
      expiresAt: later(2 * 86_400_000),
    });
  });

  test('that we made is shown once, cannot be guessed, and is kept as a digest only', async () => {
    const { id, code } = await newCode();
    expect(code).toMatch(/^[0-9A-HJKMNP-TV-Z]{5}(-[0-9A-HJKMNP-TV-Z]{5}){3}$/);
    const { rows } = await owner.query('select c.*::text as stored from credits.codes c where id = $1', [id]);
    expect(rows[0].stored).not.toContain(code);
    expect((await list()).body).toContainEqual(expect.objectContaining({ id, code: null }));
    const others = await Promise.all(Array.from({ length: 20 }, () => newCode()));
    expect(new Set(others.map((other) => other.code)).size).toBe(20);
  });

  test('that was chosen is listed with its text, and taken once', async () => {
    const text = `WELCOME-${Date.parse('2026-03-01').toString(36)}`;
    await newCode({ code: text });
    expect((await list()).body[0].code).toBe(text);
    expect((await create({ code: text.toLowerCase() })).body.code).toBe('credits.code_taken');
  });

  test('may be typed in any case, with spaces for hyphens', async () => {
    const { code } = await newCode();
    expect((await redeem(` ${code.toLowerCase().replaceAll('-', ' ')} `)).status).toBe(200);
  });

  test('expires on time', async () => {
    const { code } = await newCode({ redemptionsMax: 2, expiresAt: later(1000) });
    service.clock.advance({ ms: 998 });
    expect((await redeem(code)).status).toBe(200);
    service.clock.advance({ ms: 1 });
    const other = await addWalletHolder(service);
    expect((await redeem(code, other)).body.code).toBe('credits.code_invalid');
  });

  test('is redeemed once by a person unless it says more', async () => {
    const { code } = await newCode({ redemptionsMax: 5 });
    const twice = await newCode({ redemptionsMax: 5, redemptionsPerUserMax: 2 });
    expect((await redeem(code)).status).toBe(200);
    expect((await redeem(code)).body.code).toBe('credits.code_redeemed');
    for (const status of [200, 200, 409]) expect((await redeem(twice.code)).status).toBe(status);
  });

  test('of which k are left is redeemed by exactly k of many at once', async () => {
    const { id, code } = await newCode({ redemptionsMax: 7 });
    const people = await holders(30);
    const answers = await Promise.all(people.map((person) => redeem(code, person)));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(7);
    const refused = answers.filter(({ status }) => status !== 200);
    expect(new Set(refused.map(({ body }) => body.code))).toEqual(new Set(['credits.code_invalid']));
    expect((await list()).body.find((listed: any) => listed.id === id).redeemed).toBe(7);
  });

  test('is redeemed once by one person who tries many times at once', async () => {
    const { code } = await newCode({ redemptionsMax: 100 });
    const answers = await Promise.all(Array.from({ length: 20 }, () => redeem(code)));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    expect((await readOwn(service, holder, 'balance')).available).toBe(200);
  });

  test('is redeemed once per key, and the first answer given again', async () => {
    const { code } = await newCode();
    const idempotencyKey = randomUUID();
    const first = await redeem(code, holder, { idempotencyKey });
    const second = await redeem(code, holder, { idempotencyKey });
    expect(second.body).toEqual(first.body);
    expect(second.headers.get('idempotency-replayed')).toBe('true');
    expect((await redeem('other', holder, { idempotencyKey })).body.code).toBe('idempotency.mismatch');
  });

  test('repays a debt first', async () => {
    await post(service, admin, 'adjustments', { userId: holder.userId, amount: 180, description: 'x' });
    await redeem((await newCode()).code);
    expect(await readOwn(service, holder, 'balance')).toMatchObject({ debt: 0, available: 20 });
  });

  test('does not go into a frozen wallet, and is not used up by that', async () => {
    const { code } = await newCode();
    await owner.query(`update credits.balances set status = 'frozen' where wallet_id = $1`, [holder.userId]);
    expect((await redeem(code)).body.code).toBe('credits.wallet_inactive');
    expect((await redeem(code, await addWalletHolder(service))).status).toBe(200);
  });

  test('never makes a sum that cannot be counted exactly', async () => {
    const { code } = await newCode({ amount: 2 ** 53 - 1 });
    expect((await redeem(code)).body.code).toBe('credits.too_many');
  });
});

describe('withdrawing a code', () => {
  test('answers like a code that never was', async () => {
    const { id, code } = await newCode();
    expect((await revoke(id)).body.revokedAt).toBe(service.clock.now().toISOString());
    const revoked = await redeem(code);
    const unknown = await redeem('7QH2M-9XKRD-0VBTC-4NWZE');
    const { requestId: _, ...one } = revoked.body;
    const { requestId: __, ...other } = unknown.body;
    expect(one).toEqual(other);
    expect(revoked.status).toBe(404);
  });

  test('again changes nothing, and what has been redeemed stays', async () => {
    const { id, code } = await newCode({ redemptionsMax: 2 });
    await redeem(code);
    const first = await revoke(id);
    service.clock.advance({ minutes: 1 });
    expect((await revoke(id)).body).toEqual(first.body);
    expect((await readOwn(service, holder, 'balance')).available).toBe(200);
    const { rows } = await owner.query('select action from audit.events where target_id = $1 order by 1', [
      id,
    ]);
    expect(rows.map(({ action }) => action)).toEqual(['credits.code_created', 'credits.code_revoked']);
    expect((await revoke(randomUUID())).status).toBe(404);
  });
});

describe('the administration of codes', () => {
  test.each(impossibleAmounts)('refuses an amount of %j with a field error', async (amount) => {
    const answer = await create({ amount });
    expect(answer).toMatchObject({ status: 400, body: { errors: [{ path: '/body/amount' }] } });
  });

  test.each(['abc', 'a b c d', 'ä'.repeat(5), 'WELCOME-', 'x'.repeat(51)])(
    'refuses the text %j',
    async (code) => {
      expect(await create({ code })).toMatchObject({
        status: 400,
        body: { errors: [{ path: '/body/code' }] },
      });
    },
  );

  test('lists page by page, newest first', async () => {
    const { id } = await newCode();
    const first = await list('?limit=1');
    expect(first.body.map((code: any) => code.id)).toEqual([id]);
    expect(Number(first.headers.get('x-total-count'))).toBeGreaterThan(1);
    expect(first.headers.get('link')).toContain('offset=1');
  });

  test('is for administrators', async () => {
    const { id } = await newCode();
    for (const answer of [await create({}, holder), await revoke(id, holder), await list('', holder)]) {
      expect(answer).toMatchObject({ status: 403, body: { code: 'auth.admin_required' } });
    }
  });
});

test('guessing is slow', async () => {
  const limited = await startTestService({ env: { RATE_LIMIT_ENABLED: 'true' } });
  const guesser = await addWalletHolder(limited);
  const statuses: number[] = [];
  for (let guess = 0; guess < 11; guess++) {
    statuses.push((await post(limited, guesser, 'codes/redeem', { code: `guess-${guess}` })).status);
  }
  expect(statuses).toEqual([...Array<number>(10).fill(404), 429]);
});
