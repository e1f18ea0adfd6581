import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { registerApplication } from '../../../../test/harness/applications.ts';
import { startTestService } from '../../../../test/harness/index.ts';
import { mandateCalls } from '../../../../test/harness/mandates.ts';
import { untilSomebodyWaits } from '../../../../test/harness/locks.ts';
import { addAdministrator, expectSound, post, readOwn } from '../../../../test/harness/movements.ts';
import { addPerson, addTeam, type TestTeam } from '../../../../test/harness/teams.ts';
import { addLot, connectAsOwner, type WalletHolder } from '../../../../test/harness/wallets.ts';

const start = '2026-03-10T12:00:00.000Z';
const service = await startTestService({ startAt: start });
const owner = await connectAsOwner(service);
const admin = await addAdministrator(service);
let boss: WalletHolder;
let team: TestTeam;

beforeEach(async () => {
  service.clock.set(start);
  boss = await addPerson(service, owner);
  team = await addTeam(service, boss);
});
afterEach(() => expectSound(service));

const give = (source: string, amount: number, more = {}) =>
  addLot(service, boss, { source, kind: source === 'purchase' ? 'paid' : 'free', amount, ...more });

describe('what the service gave to everybody stays in the wallet it was given to', () => {
  test('signup bonus and daily credits are not transferred, whatever else is there', async () => {
    service.clock.advance({ days: 3 });
    expect((await team.transfer(boss, 1)).body).toMatchObject({
      code: 'credits.insufficient',
      required: 1,
      available: 0,
    });
    await give('gift', 10);
    await give('purchase', 20);
    expect((await team.transfer(boss, 31)).body).toMatchObject({ available: 30 });
    expect((await team.transfer(boss, 30)).body.transaction.entries).toMatchObject([
      { amount: -10 },
      { amount: -20 },
      { account: 'transfers', amount: 30 },
    ]);
    expect(await readOwn(service, boss, 'balance')).toMatchObject({ available: 165, balance: 0 });
  });

  test('held credits are not transferred, either', async () => {
    await give('purchase', 20);
    await post(service, boss, 'holds', { amount: 160, appId: 'chat', description: 'x' });
    expect((await team.transfer(boss, 11)).body).toMatchObject({ available: 10 });
    expect((await team.transfer(boss, 10)).status).toBe(200);
  });

  test('nor is what a refund leaves of a debt that daily credits have repaid', async () => {
    const app = await registerApplication(service, boss.token);
    const calls = mandateCalls(service, app, () => boss);
    await calls.given({ allowance: 1000, overrun: 'debt', overrunMax: 100, period: 'total' });
    const hold = (await calls.hold({ amount: 150 })).body;
    const captured = (await calls.capture(hold.id, 155)).body.transaction;
    service.clock.advance({ days: 1 });
    expect((await calls.refund(captured.id, 5)).status).toBe(200);
    expect((await calls.balance()).lots).toMatchObject([{ source: 'refund', remaining: 5 }]);
    expect((await team.transfer(boss, 5)).body).toMatchObject({ code: 'credits.insufficient', available: 0 });
  });

  test('a refusal is remembered under its key', async () => {
    const idempotencyKey = randomUUID();
    expect((await team.transfer(boss, 5, { idempotencyKey })).status).toBe(402);
    await give('gift', 10);
    const again = await team.transfer(boss, 5, { idempotencyKey });
    expect([again.status, again.headers.get('idempotency-replayed')]).toEqual([402, 'true']);
  });
});

test('who has left a team hears again what came of a transfer, and makes no new one', async () => {
  const member = await team.join(await addPerson(service, owner));
  await addLot(service, member, { source: 'purchase', kind: 'paid', amount: 20 });
  const idempotencyKey = randomUUID();
  const first = await team.transfer(member, 5, { idempotencyKey });
  expect(first.status).toBe(200);
  await team.remove(boss, member);
  // Longer than whoever was found in a team is taken to be there.
  service.clock.advance({ seconds: 61 });
  const again = await team.transfer(member, 5, { idempotencyKey });
  expect([again.status, again.headers.get('idempotency-replayed')]).toEqual([200, 'true']);
  expect(again.body).toEqual(first.body);
  expect((await team.transfer(member, 6, { idempotencyKey })).body.code).toBe('idempotency.mismatch');
  expect((await team.transfer(member, 5)).body.code).toBe('request.not_found');
  const stranger = await addPerson(service, owner);
  expect((await team.transfer(stranger, 5, { idempotencyKey })).body.code).toBe('request.not_found');
  expect((await team.read(boss)).available).toBe(5);
});

test('a transfer that the database ends for a deadlock is made again', async () => {
  const [first, second] = [boss.userId, team.id].toSorted();
  const lock = 'select from credits.balances where wallet_id = $1 for update';
  // PostgreSQL ends who notices first. On a busy machine that may be this connection: then it is tried anew.
  for (let moved = 20, isEnded = true; isEnded; moved += 20) {
    await give('purchase', 20);
    await owner.query('begin');
    await owner.query(lock, [second]);
    const transferred = team.transfer(boss, 20);
    await untilSomebodyWaits(owner);
    // Now each waits for the other.
    isEnded = await owner.query(lock, [first]).then(
      () => false,
      (error: { code?: string }) => error.code === '40P01',
    );
    await owner.query(isEnded ? 'rollback' : 'commit');
    expect((await transferred).status).toBe(200);
    expect((await team.read(boss)).available).toBe(moved);
  }
});

test('what is transferred keeps its age: the oldest goes first from the wallet of the team, too', async () => {
  for (const amount of [3, 5, 7, 11, 13, 17, 19, 23]) {
    await give('purchase', amount);
    service.clock.advance({ seconds: 1 });
  }
  service.clock.advance({ days: 1 });
  await team.transfer(boss, 98);
  const other = await addPerson(service, owner);
  await post(service, admin, 'grants', {
    walletId: team.id,
    amount: 2,
    kind: 'paid',
    source: 'purchase',
    description: 'x',
  });
  await team.join(other);
  await addLot(service, other, { source: 'purchase', kind: 'paid', amount: 29 });
  await team.transfer(other, 29);
  const lots = async () =>
    (await team.read(boss)).balance.lots.map(({ remaining }: { remaining: number }) => remaining);
  const [first, ...rest] = [3, 5, 7, 11, 13, 17, 19, 23];
  expect((await lots()).slice(0, 8)).toEqual([first, ...rest]);
  await team.use(boss, 4);
  expect((await lots()).slice(0, 7)).toEqual([4, 7, 11, 13, 17, 19, 23]);
});

test('parts of one age keep their order', async () => {
  const amounts = [3, 5, 7, 11, 13, 17, 19, 23];
  for (const amount of amounts) await give('purchase', amount);
  const before = (await readOwn(service, boss, 'balance')).lots
    .filter(({ source }: { source: string }) => source === 'purchase')
    .map(({ remaining }: { remaining: number }) => remaining);
  await team.transfer(boss, 98);
  const after = (await team.read(boss)).balance.lots.map(({ remaining }: { remaining: number }) => remaining);
  expect(after).toEqual(before);
});
