import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { startTestService } from '../../../../test/harness/index.ts';
import { addAdministrator, expectSound, post, readOwn, spend } from '../../../../test/harness/movements.ts';
import { addPerson, addTeam, codeOf, daily, type TestTeam } from '../../../../test/harness/teams.ts';
import { addLot, connectAsOwner, type WalletHolder } from '../../../../test/harness/wallets.ts';

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
  await team.transfer(boss, 150);
});
afterEach(() => expectSound(service));

test('goes up to the limit of the period, and on from the next one', async () => {
  await team.join(ada, { limit: daily(20) });
  expect(codeOf(await team.use(ada, 15))).toBeNull();
  expect(await team.use(ada, 6)).toMatchObject({
    status: 402,
    body: { code: 'mandate.exceeded', limit: 'allowance', remaining: 5 },
  });
  expect(await team.read(ada)).toMatchObject({
    available: 135,
    limit: { allowance: 20, period: 'day', used: 15, remaining: 5, resetsAt: '2026-03-02T00:00:00.000Z' },
  });
  service.clock.advance({ hours: 12 });
  expect(codeOf(await team.use(ada, 6))).toBeNull();
});

test('of many at once never exceeds the limit, nor the wallet', async () => {
  await team.join(ada, { limit: daily(50) });
  const answers = await Promise.all(Array.from({ length: 100 }, () => team.use(ada, 1)));
  expect(answers.filter(({ status }) => status === 200)).toHaveLength(50);
  const more = await Promise.all(Array.from({ length: 120 }, () => team.use(boss, 1)));
  expect(more.filter(({ status }) => status === 200)).toHaveLength(100);
  expect(more.find(({ status }) => status !== 200)?.body.code).toBe('credits.insufficient');
});

test('stops at the most that one spend may cost, and keeps to the kinds', async () => {
  await addLot(service, boss, { source: 'purchase', kind: 'paid', amount: 50 });
  await team.transfer(boss, 50);
  await team.join(ada, { limit: { allowance: 1000, period: 'total', kinds: ['paid'], maxPerSpend: 30 } });
  expect((await team.use(ada, 31)).body).toMatchObject({ code: 'mandate.exceeded', limit: 'maxPerSpend' });
  expect(codeOf(await team.use(ada, 30))).toBeNull();
  expect((await team.use(ada, 30)).body).toMatchObject({ code: 'credits.insufficient', available: 20 });
  expect((await team.read(boss)).balance).toMatchObject({ balance: 20, freeCreditsRemaining: 150 });
});

test('is nothing for members without a limit of their own, and everything for owners and admins', async () => {
  await team.join(ada);
  expect(codeOf(await team.use(ada, 1))).toBe('mandate.exceeded');
  expect(codeOf(await team.use(boss, 10))).toBeNull();
  const eve = await team.join(await addPerson(service, owner), { role: 'admin' });
  expect(codeOf(await team.use(eve, 10))).toBeNull();
});

test('follows a raised limit with the same key at once, and one lowered, and lifted', async () => {
  await team.join(ada, { limit: daily(10) });
  const spendOnce = { idempotencyKey: randomUUID() };
  expect(codeOf(await team.use(ada, 15, spendOnce))).toBe('mandate.exceeded');
  await team.change(boss, ada, { limit: daily(20) });
  expect(codeOf(await team.use(ada, 15, spendOnce))).toBeNull();
  await team.change(boss, ada, { limit: daily(15) });
  expect(codeOf(await team.use(ada, 1))).toBe('mandate.exceeded');
  await team.change(boss, ada, { limit: null });
  expect(codeOf(await team.use(ada, 100))).toBeNull();
  expect((await team.read(ada)).limit).toBeNull();
});

test('by hold sets the allowance aside, gives back what is not captured, and refunds give it back, too', async () => {
  await team.join(ada, { limit: daily(40) });
  const hold = await team.hold(ada, 30);
  expect(hold.status).toBe(201);
  expect(codeOf(await team.use(ada, 11))).toBe('mandate.exceeded');
  const captured = await post(service, ada, `holds/${hold.body.id}/capture`, { amount: 12 });
  expect(captured.status).toBe(200);
  expect(await team.read(ada)).toMatchObject({ available: 138, limit: { used: 12, remaining: 28 } });
  const refund = await post(service, admin, 'refunds', {
    transactionId: captured.body.transaction.id,
    reason: 'Cut off',
  });
  expect(refund.status).toBe(200);
  expect(await team.read(ada)).toMatchObject({ available: 150, limit: { used: 0, remaining: 40 } });
});

test('holds are moved by whoever placed them and by owners, not by another member', async () => {
  await team.join(ada, { limit: daily(40) });
  const eve = await team.join(await addPerson(service, owner), { limit: daily(40) });
  const [one, other] = [await team.hold(ada, 10), await team.hold(ada, 10)];
  expect(codeOf(await post(service, eve, `holds/${one.body.id}/void`, {}))).toBe('request.not_found');
  expect(codeOf(await post(service, ada, `holds/${one.body.id}/void`, {}))).toBeNull();
  expect(codeOf(await post(service, boss, `holds/${other.body.id}/void`, {}))).toBeNull();
});

test('holds are seen by whoever placed them and by owners and admins, not by another member', async () => {
  await team.join(ada, { limit: daily(40) });
  const eve = await team.join(await addPerson(service, owner), { limit: daily(40) });
  const manager = await team.join(await addPerson(service, owner), { role: 'admin' });
  const { id } = (await team.hold(ada, 10)).body;
  await team.hold(boss, 5);
  const seen = async (by: WalletHolder) => {
    const { status, headers, body } = await team.get(by, `holds?walletId=${team.id}`);
    expect([status, Number(headers.get('x-total-count'))]).toEqual([200, body.length]);
    return body.map(({ amount }: any) => amount).toSorted();
  };
  expect(await seen(ada)).toEqual([10]);
  expect(await seen(eve)).toEqual([]);
  for (const by of [boss, manager]) expect(await seen(by)).toEqual([10, 5]);
  expect(codeOf(await team.get(eve, `holds/${id}`))).toBe('request.not_found');
  for (const by of [ada, boss, manager]) expect((await team.get(by, `holds/${id}`)).status).toBe(200);
});

test('belongs to one member per key: another is told so', async () => {
  await team.join(ada, { limit: daily(40) });
  const key = { idempotencyKey: randomUUID() };
  expect(codeOf(await team.use(ada, 5, key))).toBeNull();
  expect((await team.use(ada, 5, key)).headers.get('idempotency-replayed')).toBe('true');
  expect(codeOf(await team.use(boss, 5, key))).toBe('idempotency.mismatch');
});

test('can be asked about before', async () => {
  await team.join(ada, { limit: daily(20) });
  const quote = (amount: number) => post(service, ada, 'quote', { amount, appId: 'chat', walletId: team.id });
  expect((await quote(20)).body).toMatchObject({ passes: true });
  expect((await quote(21)).body).toMatchObject({ passes: false, blockedBy: { code: 'mandate.exceeded' } });
  expect((await quote(160)).body.passes).toBe(false);
});

test('leaves the own wallet alone, and the own wallet the team', async () => {
  await team.join(ada, { limit: daily(20) });
  await team.use(ada, 5);
  expect((await readOwn(service, ada, 'balance')).available).toBe(150);
  await spend(service, ada, 7);
  expect((await team.read(ada)).available).toBe(145);
});
