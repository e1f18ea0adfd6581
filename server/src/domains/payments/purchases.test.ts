import { randomUUID } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { readOwn } from '../../../test/harness/movements.ts';
import { pay } from '../../../test/harness/payments.ts';
import { openShop } from '../../../test/harness/shop.ts';
import { addWalletHolder } from '../../../test/harness/wallets.ts';
import { AppError } from '../../errors.ts';

const { provider, service, owner, desk, buy, begin, balance, purchase, tell } = await openShop();

describe('a purchase', () => {
  test('leads to the checkout, and brings its credits once it is paid', async () => {
    const { id, checkoutId } = await begin();
    expect(await purchase(id)).toMatchObject({
      status: 'pending',
      credits: 1000,
      creditsReceived: 0,
      priceCents: 1000,
      checkoutUrl: `https://pay.example.com/${checkoutId}`,
      isTest: true,
    });
    await tell(pay(provider, checkoutId));
    expect(await purchase(id)).toMatchObject({
      status: 'completed',
      creditsReceived: 1000,
      checkoutUrl: null,
    });
    expect(await balance()).toMatchObject({ balance: 1000, available: 1000 });
    const [made] = await readOwn(service, desk.holder, 'transactions');
    expect(made).toMatchObject({ type: 'purchase', amount: 1000, description: 'Standard' });
    expect(made.entries).toMatchObject([{ amount: 1000 }, { account: 'sales:stripe', amount: -1000 }]);
    expect((await purchase(id)).transactionId).toBe(made.id);
  });

  test('is brought up to date by whoever asks for it, without any event', async () => {
    const { id, checkoutId } = await begin();
    pay(provider, checkoutId);
    expect(await purchase(id)).toMatchObject({ status: 'completed', creditsReceived: 1000 });
  });

  test('asks its provider once in a few seconds at most', async () => {
    const { id } = await begin();
    await Promise.all(Array.from({ length: 10 }, () => purchase(id)));
    expect(provider.calls.filter((name) => name === 'readCheckout')).toHaveLength(1);
    service.clock.advance({ seconds: 3 });
    await purchase(id);
    expect(provider.calls.filter((name) => name === 'readCheckout')).toHaveLength(2);
  });

  test('of the same key is the same purchase, also when many come at once', async () => {
    const body = { packageId: 'standard', idempotencyKey: randomUUID() };
    const answers = await Promise.all(Array.from({ length: 10 }, () => buy(body)));
    expect(new Set(answers.map((answer) => answer.body.purchaseId)).size).toBe(1);
    expect(answers.filter(({ headers }) => headers.get('idempotency-replayed') === 'true')).toHaveLength(9);
    expect(await buy({ ...body, packageId: 'plus' })).toMatchObject({
      status: 422,
      body: { code: 'idempotency.mismatch' },
    });
  });

  test('whose checkout could not be opened is opened by the same key', async () => {
    const body = { packageId: 'standard', idempotencyKey: randomUUID() };
    provider.failures.set('openCheckout', new AppError('payments.provider_unavailable'));
    expect(await buy(body)).toMatchObject({ status: 503, body: { code: 'payments.provider_unavailable' } });
    provider.failures.clear();
    expect((await buy(body)).status).toBe(200);
  });

  test('whose checkout could not be opened is opened by the job', async () => {
    provider.failures.set('openCheckout', new AppError('payments.provider_unavailable'));
    await buy();
    provider.failures.clear();
    const [{ id }] = await readOwn(service, desk.holder, 'purchases');
    // The provider has opened it, and only its answer was lost; meanwhile it was paid.
    pay(provider, `cs_${id}`);
    service.clock.advance({ minutes: 3 });
    await checkPurchases();
    service.clock.advance({ minutes: 10 });
    await checkPurchases();
    expect(await purchase(id)).toMatchObject({ status: 'completed', creditsReceived: 1000 });
  });

  test('that the provider refuses has failed', async () => {
    provider.failures.set('openCheckout', new AppError('payments.provider_refused'));
    expect(await buy()).toMatchObject({ status: 502, body: { code: 'payments.provider_refused' } });
    const [found] = await readOwn(service, desk.holder, 'purchases');
    expect(found.status).toBe('failed');
  });

  test('that has failed is not opened again by its key, which would be one more than is allowed', async () => {
    const body = { packageId: 'standard', idempotencyKey: randomUUID() };
    provider.failures.set('openCheckout', new AppError('payments.provider_refused'));
    await buy(body);
    provider.failures.clear();
    expect(await buy(body)).toMatchObject({ status: 502, body: { code: 'payments.provider_refused' } });
    expect(provider.calls).toEqual(['openCheckout']);
    const found = await readOwn(service, desk.holder, 'purchases');
    expect(found).toMatchObject([{ status: 'failed' }]);
  });

  test('that nobody pays fails when its time is over', async () => {
    const { id, checkoutId } = await begin();
    service.clock.advance({ hours: 24 });
    await checkPurchases();
    expect(provider.checkouts.get(checkoutId)?.status).toBe('expired');
    expect(await purchase(id)).toMatchObject({ status: 'failed' });
    const { rows } = await owner.query('select next_check_at from credits.purchases where id = $1', [id]);
    expect(rows).toEqual([{ next_check_at: null }]);
  });

  test('is refused where there is nothing to sell', async () => {
    expect((await buy({ packageId: 'none' })).body.code).toBe('payments.package_unavailable');
    expect((await buy({ packageId: 'standard', currency: 'USD' })).body.code).toBe(
      'payments.currency_unavailable',
    );
    await owner.query(`update credits.balances set status = 'frozen' where wallet_id = $1`, [
      desk.holder.userId,
    ]);
    expect((await buy()).body.code).toBe('credits.wallet_inactive');
  });

  test('of somebody else is not to be found', async () => {
    const { id } = await begin();
    desk.holder = await addWalletHolder(service);
    const answer = await service.send('GET', `/api/v1/credits/purchase/${id}`, { token: desk.holder.token });
    const absent = await service.send('GET', `/api/v1/credits/purchase/${randomUUID()}`, {
      token: desk.holder.token,
    });
    expect([answer.status, answer.body.code]).toEqual([absent.status, absent.body.code]);
    expect(answer.status).toBe(404);
  });

  test.each([
    {},
    { packageId: 1 },
    { packageId: '' },
    { packageId: 'x'.repeat(101) },
    { packageId: 'standard', provider: 'x' },
    { packageId: 'standard', currency: 'eur' },
  ])('of %j is malformed', async (body) => expect((await buy(body)).body.code).toBe('request.invalid'));

  test('as often as one may, and not once more, however many ask at once', async () => {
    await owner.query(`insert into credits.packages (id, name, credits, price_cents, currency, position, is_active,
      per_user_max) values ('rare', 'Rare', 10, 100, 'EUR', 9, true, 2) on conflict do nothing`);
    const answers = await Promise.all(Array.from({ length: 6 }, () => buy({ packageId: 'rare' })));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(2);
    expect(answers.find(({ status }) => status === 409)?.body).toMatchObject({
      code: 'payments.limit_reached',
      perUserMax: 2,
    });
  });
});

async function checkPurchases() {
  await service.ctx.db.asService((tx) => service.ctx.jobs.enqueue(tx, 'check-purchases', {}));
  await service.ctx.jobs.runDue();
}
