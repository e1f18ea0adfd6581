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
const openCheckout = stripe.openCheckout.bind(stripe);
const expireCheckout = stripe.expireCheckout.bind(stripe);
beforeEach(async () => {
  Object.assign(stripe, { openCheckout, expireCheckout });
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
  // Who has no password must have signed in lately.
  await owner.query('update auth.sessions set authenticated_at = $2 where user_id = $1', [
    holder.userId,
    service.clock.now(),
  ]);
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
