import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { startTestService, type TestService } from '../../../test/harness/index.ts';
import { expectSound, post, readOwn } from '../../../test/harness/movements.ts';
import { createTestProvider, pay } from '../../../test/harness/payments.ts';
import { addWalletHolder, connectAsOwner, type WalletHolder } from '../../../test/harness/wallets.ts';
import { AppError } from '../../errors.ts';

// An operator who goes live, or back: two services on one database, one with test keys, one with live keys.

const [inTest, inLive] = [createTestProvider('stripe', false), createTestProvider('stripe', true)];
const env = { CREDITS_DAILY_FREE: '0', CREDITS_SIGNUP_BONUS: '0' };
const service = await startTestService({ env, paymentProviders: [inTest] });
const live = await startTestService({ env, shareDatabaseWith: service, paymentProviders: [inLive] });
const owner = await connectAsOwner(service);

let holder: WalletHolder;
beforeEach(async () => {
  holder = await addWalletHolder(service);
  for (const provider of [inTest, inLive]) {
    provider.calls.length = 0;
    provider.failures.clear();
    provider.chargeSavedCard = async () => {
      provider.calls.push('chargeSavedCard');
      return null;
    };
  }
});
afterEach(() => expectSound(service));

const buy = (at: TestService, body: Record<string, unknown> = {}) =>
  post(at, holder, 'purchase', { packageId: 'standard', ...body });
const read = (at: TestService, id: string) => readOwn(at, holder, `purchase/${id}`);
const ownId = async () => (await readOwn(service, holder, 'purchases'))[0].id as string;
const row = async (id: string) =>
  (await owner.query('select status, checkout_id, next_check_at from credits.purchases where id = $1', [id]))
    .rows[0];
/** Lets the job that asks providers run a few minutes later. */
async function checkLater(at: TestService): Promise<void> {
  service.clock.advance({ minutes: 3 });
  await at.ctx.db.asService((tx) => at.ctx.jobs.enqueue(tx, 'check-purchases', {}));
  await at.ctx.jobs.runDue();
}
/** Begins a purchase whose checkout cannot be opened. */
async function beginUnopened(more: Record<string, unknown> = {}): Promise<string> {
  inTest.failures.set('openCheckout', new AppError('payments.provider_unavailable'));
  expect((await buy(service, more)).body.code).toBe('payments.provider_unavailable');
  inTest.failures.clear();
  inTest.calls.length = 0;
  return ownId();
}

describe('a purchase that was begun with test keys', () => {
  test('is not opened with live keys, but with test keys once they are back', async () => {
    const id = await beginUnopened();
    await checkLater(live);
    expect(inLive.calls).toEqual([]);
    expect(await row(id)).toMatchObject({ status: 'pending', checkout_id: null });
    service.clock.advance({ minutes: 10 });
    await checkLater(service);
    expect(await row(id)).toMatchObject({ status: 'pending', checkout_id: `cs_${id}` });
  });

  test('is refused under its key with live keys, and found again with test keys', async () => {
    const idempotencyKey = randomUUID();
    const id = await beginUnopened({ idempotencyKey });
    expect(await buy(live, { idempotencyKey })).toMatchObject({
      status: 409,
      body: { code: 'payments.provider_not_set_up' },
    });
    expect(inLive.calls).toEqual([]);
    expect(await row(id)).toMatchObject({ status: 'pending', checkout_id: null });
    expect(await buy(service, { idempotencyKey })).toMatchObject({ status: 200, body: { purchaseId: id } });
  });

  test('has not failed because the live provider does not know its checkout', async () => {
    const { body } = await buy(service);
    await checkLater(live);
    expect(await read(live, body.purchaseId)).toMatchObject({ status: 'pending', isTest: true });
    expect(inLive.calls).toEqual([]);
    service.clock.advance({ seconds: 3 });
    pay(inTest, `cs_${body.purchaseId}`);
    expect(await read(service, body.purchaseId)).toMatchObject({ status: 'completed' });
  });

  test('is looked at again later, not at once', async () => {
    const { body } = await buy(service);
    for (let times = 0; times < 3; times++) {
      await checkLater(live);
      const { next_check_at: nextCheckAt } = await row(body.purchaseId);
      const waitMs = nextCheckAt.getTime() - service.clock.now().getTime();
      expect(waitMs).toBeGreaterThanOrEqual(120_000);
      service.clock.advance({ ms: waitMs });
    }
  });

  test('without a checkout has failed once its time is over', async () => {
    const id = await beginUnopened();
    service.clock.advance({ hours: 24 });
    await checkLater(live);
    expect(inLive.calls).toEqual([]);
    expect(await row(id)).toMatchObject({ status: 'failed', next_check_at: null });
  });

  test('with a checkout is over with its time, and holds nobody up', async () => {
    const { body } = await buy(service);
    service.clock.advance({ hours: 25 });
    await checkLater(live);
    expect(inLive.calls).toEqual([]);
    expect(await row(body.purchaseId)).toMatchObject({ status: 'failed', next_check_at: null });
  });

  test('charges no card with live keys when it is a top-up', async () => {
    const id = await beginUnopened();
    await owner.query(`update credits.purchases set kind = 'top_up' where id = $1`, [id]);
    await checkLater(live);
    expect(inLive.calls).toEqual([]);
    expect(await row(id)).toMatchObject({ status: 'pending', checkout_id: null });
    service.clock.advance({ minutes: 10 });
    await checkLater(service);
    expect(inTest.calls).toEqual(['chargeSavedCard']);
    expect(await row(id)).toMatchObject({ status: 'failed' });
  });
});

test('a purchase that was begun with live keys is neither opened nor failed with test keys', async () => {
  const { body } = await buy(live);
  await checkLater(service);
  expect(inTest.calls).toEqual([]);
  expect(await read(service, body.purchaseId)).toMatchObject({ status: 'pending', isTest: false });
});
