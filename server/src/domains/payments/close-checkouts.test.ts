import { afterEach, beforeEach, expect, test } from 'vitest';
import { startTestService } from '../../../test/harness/index.ts';
import { addAdministrator, expectSound, post } from '../../../test/harness/movements.ts';
import { startPaymentStandIn } from '../../../test/harness/payment-stand-in.ts';
import { ask, makePlan } from '../../../test/harness/plans.ts';
import { addWalletHolder, connectAsOwner, type WalletHolder } from '../../../test/harness/wallets.ts';
import { AppError } from '../../errors.ts';
import { reconcilePayments } from './reconciliation/reconcile-payments.ts';

const standIn = await startPaymentStandIn();
const service = await startTestService({
  clock: standIn.clock,
  env: { ...standIn.settings, CREDITS_DAILY_FREE: '0', CREDITS_SIGNUP_BONUS: '0' },
});
standIn.deliverTo(service.url);
const owner = await connectAsOwner(service);
await makePlan(service, await addAdministrator(service), 'plus');

let holder: WalletHolder;
const stripe = service.ctx.payments.provider('stripe');
const paypal = service.ctx.payments.provider('paypal');
const openCheckout = stripe.openCheckout.bind(stripe);
const expireCheckout = stripe.expireCheckout.bind(stripe);
const readSubscriptionCheckout = stripe.readSubscriptionCheckout.bind(stripe);
beforeEach(async () => {
  Object.assign(stripe, { openCheckout, expireCheckout, readSubscriptionCheckout });
  service.clock.advance({ hours: 4 });
  holder = await addWalletHolder(service);
});
afterEach(() => expectSound(service));

type Provider = 'stripe' | 'paypal';
const buy = async (provider: Provider) =>
  (await post(service, holder, 'purchase', { packageId: 'standard', provider })).body;
const begin = async (provider: Provider) =>
  (await ask(service, holder, 'POST', { planId: 'plus', provider })).body;
const erase = () => service.send('DELETE', '/api/v1/users/me?erase=true', { token: holder.token, body: {} });
const unavailable = () => Promise.reject(new AppError('payments.provider_unavailable'));
const refused = () => Promise.reject(new AppError('payments.provider_refused'));
/** Who has no password must have signed in lately. */
const signInAnew = () =>
  owner.query('update auth.sessions set authenticated_at = $2 where user_id = $1', [
    holder.userId,
    service.clock.now(),
  ]);
const statusOf = async (purchaseId: string) =>
  (await owner.query('select status from credits.purchases where id = $1', [purchaseId])).rows[0].status;
/** PayPal's own words about the order of a purchase. */
const orderOf = async (purchaseId: string) => {
  const { rows } = await owner.query('select checkout_id from credits.purchases where id = $1', [purchaseId]);
  const order = standIn.world.state.paypal.orders[rows[0].checkout_id];
  if (!order) throw new Error('there is no such order');
  return order;
};
const press = async (url: string, choice = 'pay') =>
  (await fetch(url, { method: 'POST', body: new URLSearchParams({ choice }), redirect: 'manual' })).status;
const count = async (text: string, ...values: unknown[]) =>
  Number((await owner.query(`select count(*) from ${text}`, values)).rows[0].count);

test('whoever is erased can pay nothing any more that they have begun', async () => {
  const pack = await buy('stripe');
  const plan = await begin('stripe');
  expect(await erase()).toMatchObject({ status: 200 });
  for (const { checkoutUrl } of [pack, plan]) expect(await press(checkoutUrl)).not.toBe(303);
  await standIn.deliver();
  expect(await count(`payments.events where outcome = 'waiting'`)).toBe(0);
  const sessions = Object.values(standIn.world.state.stripe.sessions);
  expect(sessions.filter(({ status }) => status === 'open')).toEqual([]);
});

test('what was paid at the last moment is theirs to end first', async () => {
  const plan = await begin('stripe');
  expect(await press(plan.checkoutUrl)).toBe(303);
  expect(await erase()).toMatchObject({
    status: 409,
    body: { code: 'users.erasure_blocked', subscriptions: [{ id: plan.subscriptionId, planId: 'plus' }] },
  });
  expect((await ask(service, holder, 'DELETE')).status).toBe(200);
  await standIn.deliver();
  expect(await erase()).toMatchObject({ status: 200 });
});

test('what PayPal does not take back is waited for, although it was left, for as long as it can be paid', async () => {
  const order = await buy('paypal');
  const plan = await begin('paypal');
  const [{ id: orderId }, { id: planId }] = [{ id: order.purchaseId }, { id: plan.subscriptionId }];
  const blocked = await erase();
  expect(blocked).toMatchObject({ status: 409, body: { code: 'users.erasure_blocked', teams: [] } });
  expect(blocked.body.checkouts.map(({ id, kind }: any) => `${kind} ${id}`).sort()).toEqual(
    [`purchase ${orderId}`, `subscription ${planId}`].sort(),
  );
  await ask(service, holder, 'DELETE');
  expect((await erase()).body.checkouts).toHaveLength(2);
  service.clock.advance({ hours: 3, minutes: 1 });
  await signInAnew();
  expect(await erase()).toMatchObject({ status: 200 });
});

test('what was approved at PayPal is not captured for somebody who leaves', async () => {
  const begunAt = service.clock.now().getTime();
  const { purchaseId, checkoutUrl } = await buy('paypal');
  expect(await press(checkoutUrl)).toBe(303);
  const blocked = await erase();
  expect(blocked).toMatchObject({ status: 409, body: { checkouts: [{ id: purchaseId, kind: 'purchase' }] } });
  expect(Date.parse(blocked.body.checkouts[0].expiresAt) - begunAt).toBe(3 * 3_600_000);
  expect((await orderOf(purchaseId)).status).toBe('APPROVED');
  service.clock.advance({ hours: 3, minutes: 1 });
  await signInAnew();
  expect(await erase()).toMatchObject({ status: 200 });
  await standIn.deliver();
  expect((await orderOf(purchaseId)).status).toBe('APPROVED');
});

test('a payment that PayPal declined is waited for, too, since it may be made with another card', async () => {
  const { purchaseId, checkoutUrl } = await buy('paypal');
  const { id: checkoutId } = await orderOf(purchaseId);
  const money = { amountCents: 1000, currency: 'EUR' };
  const whose = { checkoutId, purchaseId, paymentId: null, customerId: null };
  await service.ctx.payments.applyFacts(paypal, [{ kind: 'checkout', ...whose, status: 'failed', ...money }]);
  expect(await statusOf(purchaseId)).toBe('failed');
  expect(await erase()).toMatchObject({ status: 409, body: { checkouts: [{ id: purchaseId }] } });
  expect(await press(checkoutUrl)).toBe(303);
  await standIn.deliver();
  expect(await statusOf(purchaseId)).toBe('completed');
  expect(await erase()).toMatchObject({ status: 200 });
});

test('nothing is captured for a wallet that is closed', async () => {
  const { purchaseId, checkoutUrl } = await buy('paypal');
  await owner.query(`update credits.balances set status = 'closed' where wallet_id = $1`, [holder.userId]);
  expect(await press(checkoutUrl)).toBe(303);
  await standIn.deliver();
  expect((await orderOf(purchaseId)).status).toBe('APPROVED');
});

test('the checkout of a subscription is in the way until somebody can say what came of it', async () => {
  const plan = await begin('stripe');
  expect(await press(plan.checkoutUrl)).toBe(303);
  Object.assign(stripe, { expireCheckout: unavailable, readSubscriptionCheckout: unavailable });
  service.clock.advance({ hours: 2 });
  await signInAnew();
  expect(await erase()).toMatchObject({
    status: 409,
    body: { subscriptions: [], checkouts: [{ id: plan.subscriptionId, kind: 'subscription' }] },
  });
  // It was paid at the last moment, so Stripe ends it no more, and says what became of it instead.
  Object.assign(stripe, { expireCheckout: refused, readSubscriptionCheckout });
  expect(await erase()).toMatchObject({
    status: 409,
    body: { subscriptions: [{ id: plan.subscriptionId }], checkouts: [] },
  });
  await ask(service, holder, 'DELETE');
  await standIn.deliver();
  expect(await erase()).toMatchObject({ status: 200 });
});

test('a checkout of which the answer was lost is found and ended, too', async () => {
  stripe.openCheckout = async (order) => {
    await openCheckout(order);
    throw new AppError('payments.provider_unavailable');
  };
  expect(
    await post(service, holder, 'purchase', { packageId: 'standard', provider: 'stripe' }),
  ).toMatchObject({
    status: 503,
  });
  stripe.openCheckout = openCheckout;
  expect(await erase()).toMatchObject({ status: 200 });
  const sessions = Object.values(standIn.world.state.stripe.sessions);
  expect(sessions.filter(({ status }) => status === 'open')).toEqual([]);
});

test('a provider that does not answer is in the way, not an error', async () => {
  const plan = await begin('stripe');
  stripe.expireCheckout = () => Promise.reject(new AppError('payments.provider_unavailable'));
  expect(await erase()).toMatchObject({
    status: 409,
    body: { checkouts: [{ id: plan.subscriptionId, kind: 'subscription' }] },
  });
  stripe.expireCheckout = expireCheckout;
  expect(await erase()).toMatchObject({ status: 200 });
});

test('a bill that was paid for a subscription of nobody is told to administrators, and not said to be repaired', async () => {
  const since = new Date(service.clock.now().getTime() - 60_000);
  const plan = await begin('stripe');
  expect(await press(plan.checkoutUrl)).toBe(303);
  await owner.query('delete from payments.subscriptions where id = $1', [plan.subscriptionId]);
  await standIn.deliver();
  expect(await count(`payments.events where outcome = 'waiting' and type = 'invoice.paid'`)).toBe(1);
  for (const repairs of [true, false]) {
    const report = await reconcilePayments(service.ctx, { provider: stripe, since, repairs });
    const bills = report.findings.filter(({ kind }) => kind === 'invoice');
    expect(bills).toMatchObject([{ list: 'onlyTheirs', reason: 'no_subscription', isRepaired: false }]);
  }
});
