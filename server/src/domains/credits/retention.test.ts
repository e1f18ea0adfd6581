import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { startTestService } from '../../../test/harness/index.ts';
import { addAdministrator, expectSound, post } from '../../../test/harness/movements.ts';
import { addLot, addWalletHolder, connectAsOwner } from '../../../test/harness/wallets.ts';

const service = await startTestService({ startAt: '2026-03-10T12:00:00.000Z' });
const owner = await connectAsOwner(service);
const admin = await addAdministrator(service);

const forget = async () => {
  await service.ctx.db.asService((tx) => service.ctx.jobs.enqueue(tx, 'forget-refusals', {}));
  await service.ctx.jobs.runDue();
};

const replayed = (answer: { headers: Headers }) => answer.headers.get('idempotency-replayed') === 'true';

test('a refusal is remembered for 30 days, a success for good', async () => {
  const holder = await addWalletHolder(service);
  await addLot(service, holder, { source: 'purchase', kind: 'paid', amount: 10 });
  const [kept, refused, code] = [randomUUID(), randomUUID(), randomUUID()];
  const use = (amount: number, idempotencyKey: string) =>
    post(service, holder, 'use', { amount, appId: 'chat', description: 'x', idempotencyKey });
  const redeem = () => post(service, holder, 'codes/redeem', { code: 'NO-SUCH-CODE', idempotencyKey: code });
  // Nothing happens to the wallet between its last transaction and the refusals.
  service.clock.advance({ hours: 23 });
  expect((await use(160, kept)).status).toBe(200);
  service.clock.advance({ minutes: 59 });
  expect((await use(1000, refused)).status).toBe(402);
  expect((await redeem()).status).toBe(404);
  service.clock.advance({ days: 30 });
  await forget();
  expect(replayed(await use(1000, refused))).toBe(true);
  expect(replayed(await redeem())).toBe(true);
  service.clock.advance({ ms: 1 });
  await forget();
  expect(replayed(await use(160, kept))).toBe(true);
  const again = await use(100, refused);
  expect([again.status, replayed(again)]).toEqual([200, false]);
  expect(replayed(await redeem())).toBe(false);
  await expectSound(service);
});

test('many refusals are forgotten in one night', async () => {
  const holder = await addWalletHolder(service);
  const grant = { userId: holder.userId, amount: 5, description: 'x', expiresAt: '2026-01-01T00:00:00Z' };
  await post(service, admin, 'grants', { ...grant, idempotencyKey: randomUUID() });
  await owner.query(
    `insert into credits.idempotency_keys
       select (jsonb_populate_record(k, jsonb_build_object('key', n))).*
         from credits.idempotency_keys k, generate_series(1, 2500) n where k.wallet_id = $1`,
    [holder.userId],
  );
  const count = async () =>
    (await owner.query('select from credits.idempotency_keys where wallet_id = $1', [holder.userId]))
      .rowCount;
  expect(await count()).toBe(2501);
  service.clock.advance({ days: 31 });
  await forget();
  expect(await count()).toBe(0);
});
