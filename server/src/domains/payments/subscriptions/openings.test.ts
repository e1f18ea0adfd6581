import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { startTestService } from '../../../../test/harness/index.ts';
import { addAdministrator, expectSound } from '../../../../test/harness/movements.ts';
import { startPaymentStandIn } from '../../../../test/harness/payment-stand-in.ts';
import { ask, makePlan, paidCredits } from '../../../../test/harness/plans.ts';
import { addWalletHolder, connectAsOwner, type WalletHolder } from '../../../../test/harness/wallets.ts';
import { AppError } from '../../../errors.ts';

const standIn = await startPaymentStandIn();
const service = await startTestService({
  clock: standIn.clock,
  env: { ...standIn.settings, CREDITS_DAILY_FREE: '0', CREDITS_SIGNUP_BONUS: '0' },
});
standIn.deliverTo(service.url);
const owner = await connectAsOwner(service);
const admin = await addAdministrator(service);
await makePlan(service, admin, 'plus');
await makePlan(service, admin, 'max', { priceCents: 3000, credits: 3000 });

let holder: WalletHolder;
beforeEach(async () => {
  holder = await addWalletHolder(service);
});
afterEach(() => expectSound(service));

const begin = (provider: 'stripe' | 'paypal') => ask(service, holder, 'POST', { planId: 'plus', provider });
const read = () => ask(service, holder, 'GET');
const statusOf = async (id: string): Promise<string> =>
  (await owner.query('select status from payments.subscriptions where id = $1', [id])).rows[0].status;

async function pressPay(url: string): Promise<void> {
  const body = new URLSearchParams({ choice: 'pay' });
  expect((await fetch(url, { method: 'POST', body, redirect: 'manual' })).status).toBe(303);
}

/** Runs what the timetable would. */
async function follow(): Promise<void> {
  await service.ctx.db.asService((tx) => service.ctx.jobs.enqueue(tx, 'follow-subscriptions', {}));
  await service.ctx.jobs.runDue();
}

describe.each(['stripe', 'paypal'] as const)('a subscription at %s of which no news came', (provider) => {
  test('is brought up to date with its first bill, once', async () => {
    const { body } = await begin(provider);
    await pressPay(body.checkoutUrl);
    await follow();
    expect((await read()).body).toMatchObject({ status: 'opening' });
    service.clock.advance({ minutes: 11 });
    await follow();
    expect((await read()).body).toMatchObject({ status: 'active', plan: { id: 'plus' } });
    expect(await paidCredits(service, holder)).toBe(1000);
    await standIn.deliver();
    expect(await paidCredits(service, holder)).toBe(1000);
    expect((await read()).body).toMatchObject({ status: 'active' });
  });

  test('waits as long as it can be paid, and is closed once it cannot', async () => {
    const { body } = await begin(provider);
    service.clock.advance({ minutes: 11 });
    await follow();
    expect(await statusOf(body.subscriptionId)).toBe('opening');
    service.clock.advance({ hours: 4 });
    await follow();
    expect(await statusOf(body.subscriptionId)).toBe('abandoned');
    expect(await read()).toMatchObject({ status: 404, body: { code: 'payments.no_subscription' } });
    expect((await begin(provider)).body.subscriptionId).not.toBe(body.subscriptionId);
  });

  test('is cancelled with its period by whoever leaves it after it was paid', async () => {
    const { body } = await begin(provider);
    await pressPay(body.checkoutUrl);
    const left = await ask(service, holder, 'DELETE');
    expect(left).toMatchObject({ status: 200, body: { status: 'active', cancelsAtPeriodEnd: true } });
    await standIn.deliver();
    expect((await read()).body).toMatchObject({ id: body.subscriptionId, cancelsAtPeriodEnd: true });
    expect(await paidCredits(service, holder)).toBe(1000);
  });

  test('is not followed by another that would be paid, too', async () => {
    const { body } = await begin(provider);
    await pressPay(body.checkoutUrl);
    const again = await ask(service, holder, 'POST', { planId: 'max', provider });
    expect(again).toMatchObject({ status: 409, body: { code: 'payments.subscribed_already' } });
    expect((await read()).body).toMatchObject({ id: body.subscriptionId, status: 'active' });
  });

  test('and that was never opened is closed after a day', async () => {
    const adapter = service.ctx.payments.provider(provider);
    const open = adapter.openSubscription.bind(adapter);
    adapter.openSubscription = () => Promise.reject(new AppError('payments.provider_unavailable'));
    expect(await begin(provider)).toMatchObject({ status: 503 });
    adapter.openSubscription = open;
    const { body } = await read();
    service.clock.advance({ hours: 23 });
    await follow();
    expect(await statusOf(body.id)).toBe('opening');
    service.clock.advance({ hours: 2 });
    await follow();
    expect(await statusOf(body.id)).toBe('abandoned');
  });
});

test('a subscription at PayPal that was told of and never approved is closed, too', async () => {
  const { body } = await begin('paypal');
  await standIn.deliver();
  expect((await read()).body).toMatchObject({ status: 'opening', checkoutUrl: body.checkoutUrl });
  service.clock.advance({ hours: 4 });
  await follow();
  expect(await statusOf(body.subscriptionId)).toBe('abandoned');
});

test('and can be left, and begun anew', async () => {
  await begin('paypal');
  await standIn.deliver();
  expect(await ask(service, holder, 'DELETE')).toMatchObject({ status: 200, body: { status: 'ended' } });
  expect((await begin('paypal')).status).toBe(201);
});

test('what a provider does not answer is asked again', async () => {
  const { body } = await begin('stripe');
  await pressPay(body.checkoutUrl);
  const adapter = service.ctx.payments.provider('stripe');
  const readCheckout = adapter.readSubscriptionCheckout.bind(adapter);
  adapter.readSubscriptionCheckout = () => Promise.reject(new AppError('payments.provider_unavailable'));
  service.clock.advance({ minutes: 11 });
  await follow();
  adapter.readSubscriptionCheckout = readCheckout;
  await follow();
  expect(await statusOf(body.subscriptionId)).toBe('opening');
  service.clock.advance({ minutes: 61 });
  await follow();
  expect(await statusOf(body.subscriptionId)).toBe('active');
  expect(await paidCredits(service, holder)).toBe(1000);
});
