import { randomUUID } from 'node:crypto';
import { request } from 'node:http';
import { expect, test, vi } from 'vitest';
import { startTestService, type Answer } from '../../../test/harness/index.ts';
import { addLot, addWalletHolder, connectAsOwner, type WalletHolder } from '../../../test/harness/wallets.ts';
import { createBalanceReader, readBalance } from './index.ts';

const service = await startTestService();
const owner = await connectAsOwner(service);

const askFor = ({ token }: WalletHolder): Promise<Answer> =>
  service.send('GET', '/api/v1/credits/balance', { token });
const addHolders = (length: number) => Promise.all(Array.from({ length }, () => addWalletHolder(service)));
const codeOf = ({ status, body }: Answer): unknown => (status === 200 ? 'ok' : body.code);

test('many who ask at once are answered in a few calls, each with their own wallet', async () => {
  const holders = await addHolders(20);
  for (const [index, holder] of holders.entries())
    await addLot(service, holder, { source: 'purchase', kind: 'paid', amount: 1000 + index });
  const call = vi.spyOn(service.ctx.db, 'call');
  const answers = await Promise.all([...holders, ...holders].map(askFor));
  const statements = call.mock.calls.filter(([text]) => text.includes('read_balances'));
  call.mockRestore();
  expect(answers.map(({ body }) => body.balance)).toEqual([
    ...holders.map((_, index) => 1000 + index),
    ...holders.map((_, index) => 1000 + index),
  ]);
  expect(statements.length).toBeGreaterThan(0);
  expect(statements.length).toBeLessThan(answers.length);
});

const iso = (time: string | null) => (time === null ? null : new Date(time).toISOString());

test('what is read together is what each would read alone', async () => {
  const holders = await addHolders(4);
  const [first, second, third] = holders as [WalletHolder, WalletHolder, WalletHolder];
  await addLot(service, first, { source: 'purchase', kind: 'paid', amount: 70, priority: 5 });
  await addLot(service, first, {
    source: 'gift',
    kind: 'free',
    amount: 3,
    expiresAt: '2026-03-09T01:02:03.456Z',
  });
  const late = { priority: 200, expiresAt: '2026-03-08T00:00:00.000Z' };
  await addLot(service, second, { source: 'gift', kind: 'free', amount: 9, ...late });
  await owner.query(`update credits.balances set status = 'frozen' where wallet_id = $1`, [third.userId]);
  const { creditsDailyFree, creditsDailyCap } = service.ctx.config;
  for (const [index, answer] of (await Promise.all(holders.map(askFor))).entries()) {
    const { userId, sessionId } = holders[index]!;
    const { rows } = await owner.query('select * from credits.read_balance($1, $2, $1, $3, $4, $5)', [
      userId,
      sessionId,
      service.clock.now(),
      creditsDailyFree,
      creditsDailyCap,
    ]);
    const [alone] = rows;
    expect(answer.body).toEqual({
      balance: alone.paid,
      freeCreditsRemaining: alone.free,
      totalEarned: alone.total_earned,
      totalSpent: alone.total_spent,
      available: alone.free + alone.paid - alone.held,
      held: alone.held,
      debt: alone.debt,
      dailyFreeCredits: creditsDailyFree,
      nextDailyAt: alone.next_daily_at.toISOString(),
      status: alone.status,
      scale: 0,
      lots: alone.lots.map((lot: any) => ({ ...lot, expiresAt: iso(lot.expiresAt) })),
    });
  }
});

test('of many lots the first hundred are shown, in the order in which they are spent', async () => {
  const [holder] = (await addHolders(1)) as [WalletHolder];
  await owner.query(
    `insert into credits.lots
         (id, wallet_id, source, kind, amount, remaining, held, priority, transaction_id, created_at)
       select gen_random_uuid(), $1, 'gift', 'free', n, n, 0, -n, gen_random_uuid(), $2 from generate_series(1, 120) n`,
    [holder.userId, service.clock.now()],
  );
  const { body } = await askFor(holder);
  expect(body.lots.map(({ remaining }: { remaining: number }) => remaining)).toEqual(
    Array.from({ length: 100 }, (_, index) => 120 - index),
  );
});

test('each caller in a call is asked about on their own: one that may not ask fails alone', async () => {
  const holders = await addHolders(6);
  const [good, signedOut, expired, deactivated, walletless, due] = holders as [
    WalletHolder,
    WalletHolder,
    WalletHolder,
    WalletHolder,
    WalletHolder,
    WalletHolder,
  ];
  await owner.query('update auth.sessions set revoked_at = created_at where id = $1', [signedOut.sessionId]);
  await owner.query(`update auth.sessions set expires_at = $2 where id = $1`, [
    expired.sessionId,
    service.clock.now(),
  ]);
  await owner.query('update auth.users set is_active = false where id = $1', [deactivated.userId]);
  const nobody = await addWalletHolder(service);
  await owner.query('update auth.sessions set user_id = $2 where id = $1', [
    walletless.sessionId,
    nobody.userId,
  ]);
  await owner.query('update credits.balances set next_daily_at = $2 where wallet_id = $1', [
    due.userId,
    service.clock.now(),
  ]);
  const answers = await Promise.all(holders.map(askFor));
  expect(answers.map(codeOf)).toEqual([
    'ok',
    'auth.session_ended',
    'auth.session_ended',
    'auth.session_ended',
    'auth.session_ended',
    'ok',
  ]);
  expect(answers[0]!.body.available).toBe(150);
  expect(answers[5]!.body.available).toBe(155);
  expect((await askFor(good)).body).toEqual(answers[0]!.body);
});

test('nobody reads a wallet with the session of somebody else, nor one that is not there', async () => {
  const [one, other] = (await addHolders(2)) as [WalletHolder, WalletHolder];
  const { ctx } = service;
  const stranger = { userId: other.userId, sessionId: one.sessionId };
  const found = await Promise.all([
    ctx.balances.read(one),
    ctx.balances.read(stranger),
    ctx.balances.read({ userId: randomUUID(), sessionId: one.sessionId }),
    ctx.balances.read(other),
  ]);
  expect(found.map(({ code }) => code)).toEqual([
    undefined,
    'auth.session_ended',
    'auth.session_ended',
    undefined,
  ]);
  await expect(readBalance(ctx, stranger)).rejects.toMatchObject({ code: 'auth.session_ended' });
});

test('a wallet whose row is locked holds up nobody: not its owner, and no neighbour', async () => {
  const [locked, due, other] = (await addHolders(3)) as [WalletHolder, WalletHolder, WalletHolder];
  await owner.query('update credits.balances set next_daily_at = $2 where wallet_id = $1', [
    due.userId,
    service.clock.now(),
  ]);
  await owner.query('begin');
  await owner.query('select from credits.balances where wallet_id = any ($1) for update', [
    [locked.userId, due.userId],
  ]);
  const waiting = askFor(due);
  const answers = await Promise.all([askFor(locked), askFor(other)]);
  expect(answers.map(codeOf)).toEqual(['ok', 'ok']);
  await owner.query('rollback');
  expect((await waiting).body.available).toBe(155);
});

test('an end of a session counts at once, also in a process that has just read for it', async () => {
  const elsewhere = await startTestService({ shareDatabaseWith: service });
  const holder = await addWalletHolder(service);
  const validate = () => elsewhere.send('POST', '/api/v1/auth/validate', { body: { token: holder.token } });
  const read = () => elsewhere.send('GET', '/api/v1/credits/balance', { token: holder.token });
  expect((await read()).status).toBe(200);
  expect((await validate()).body.valid).toBe(true);
  expect((await service.send('POST', '/api/v1/auth/logout', { token: holder.token })).status).toBe(200);
  const answers = await Promise.all([read(), validate(), read(), validate()]);
  expect(answers.map(({ status, body }) => [status, body.code ?? body.error])).toEqual([
    [401, 'auth.session_ended'],
    [200, 'auth.session_ended'],
    [401, 'auth.session_ended'],
    [200, 'auth.session_ended'],
  ]);
});

test('tokens judged at once are judged each on its own', async () => {
  const holders = await addHolders(12);
  const ended = holders.filter((_, index) => index % 3 === 0);
  await owner.query('update auth.sessions set revoked_at = created_at where id = any ($1)', [
    ended.map(({ sessionId }) => sessionId),
  ]);
  const answers = await Promise.all(
    holders.map(({ token }) => service.send('POST', '/api/v1/auth/validate', { body: { token } })),
  );
  for (const [index, { status, body }] of answers.entries()) {
    expect(status).toBe(200);
    if (index % 3 === 0) expect(body).toEqual({ valid: false, error: 'auth.session_ended' });
    else expect(body).toMatchObject({ valid: true, payload: { sub: holders[index]!.userId } });
  }
});

test('who hangs up before the answer holds up nobody and leaves nothing behind', async () => {
  const holders = await addHolders(10);
  const url = `${service.url}/api/v1/credits/balance`;
  const hungUp = holders.map(({ token }) => {
    const sent = request(url, { headers: { authorization: `Bearer ${token}` } });
    const closed = new Promise<void>((resolve) => sent.once('close', resolve));
    sent.on('error', () => {}).end(() => sent.destroy());
    return closed;
  });
  const answers = await Promise.all(holders.map(askFor));
  await Promise.all(hungUp);
  expect(answers.map(codeOf)).toEqual(holders.map(() => 'ok'));
  await service.ctx.balances.drain();
  expect(service.ctx.balances.waiting()).toBe(0);
});

test('reads under way are answered before the service lets go of the database', async () => {
  const stopping = await startTestService({ shareDatabaseWith: service });
  const holders = await addHolders(5);
  const reader = createBalanceReader(stopping.ctx);
  const found = holders.map((holder) => stopping.ctx.balances.read(holder));
  await stopping.stop();
  expect((await Promise.all(found)).every(({ code }) => code === undefined)).toBe(true);
  await expect(reader.read(holders[0]!)).rejects.toThrow();
});
