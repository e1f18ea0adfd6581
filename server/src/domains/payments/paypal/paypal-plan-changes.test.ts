import { afterEach, expect, test } from 'vitest';
import { startTestService } from '../../../../test/harness/index.ts';
import { addAdministrator, expectSound } from '../../../../test/harness/movements.ts';
import { startPaymentStandIn } from '../../../../test/harness/payment-stand-in.ts';
import { ask, countPurchases, makePlan, paidCredits } from '../../../../test/harness/plans.ts';
import { addWalletHolder, connectAsOwner } from '../../../../test/harness/wallets.ts';

const standIn = await startPaymentStandIn();
const service = await startTestService({
  clock: standIn.clock,
  env: { ...standIn.settings, CREDITS_DAILY_FREE: '0', CREDITS_SIGNUP_BONUS: '0' },
});
standIn.deliverTo(service.url);
const owner = await connectAsOwner(service);
const admin = await addAdministrator(service);
await makePlan(service, admin, 'small');
await makePlan(service, admin, 'large', { priceCents: 2500, credits: 3000 });
afterEach(() => expectSound(service));

async function press(url: string): Promise<void> {
  const body = new URLSearchParams({ choice: 'pay' });
  expect((await fetch(url, { method: 'POST', body, redirect: 'manual' })).status).toBe(303);
  await standIn.deliver();
}

test('a dearer plan at PayPal counts from the next period on, once it is agreed to there', async () => {
  const holder = await addWalletHolder(service);
  const { body } = await ask(service, holder, 'POST', { planId: 'small', provider: 'paypal' });
  await press(body.checkoutUrl);
  expect(await paidCredits(service, holder)).toBe(1000);
  service.clock.advance({ days: 10 });
  const changed = await ask(service, holder, 'PATCH', { planId: 'large' });
  expect(changed).toMatchObject({
    status: 200,
    body: { plan: { id: 'small' }, nextPlan: null, approvalUrl: expect.stringMatching(/^http/) },
  });
  await press(changed.body.approvalUrl);
  expect((await ask(service, holder, 'GET')).body).toMatchObject({
    plan: { id: 'small' },
    nextPlan: { id: 'large' },
  });
  expect(await paidCredits(service, holder)).toBe(1000);
  service.clock.advance({ days: 22 });
  await standIn.deliver();
  expect((await ask(service, holder, 'GET')).body).toMatchObject({ plan: { id: 'large' }, nextPlan: null });
  expect(await paidCredits(service, holder)).toBe(3000);
});

test('a plan that was made at PayPal before is made anew for whoever subscribes, and its bills still count', async () => {
  const begin = async () => {
    const holder = await addWalletHolder(service);
    const { body } = await ask(service, holder, 'POST', { planId: 'old', provider: 'paypal' });
    const { plan_id: planId } = standIn.world.state.paypal.subscriptions[await checkoutOf(body)] as any;
    return { holder, checkoutUrl: body.checkoutUrl as string, planId: planId as string };
  };
  const checkoutOf = async ({ subscriptionId }: { subscriptionId: string }): Promise<string> =>
    (await owner.query('select checkout_id from payments.subscriptions where id = $1', [subscriptionId]))
      .rows[0].checkout_id;
  await makePlan(service, admin, 'old', { name: 'Old' });
  const before = await begin();
  await owner.query(`update payments.plan_prices set is_current = false where provider_price_id = $1`, [
    before.planId,
  ]);
  await service.send('PATCH', '/api/v1/payments/plans/old', { token: admin.token, body: { name: 'Older' } });
  const after = await begin();
  expect(after.planId).not.toBe(before.planId);
  for (const { holder, checkoutUrl } of [before, after]) {
    await press(checkoutUrl);
    expect(await paidCredits(service, holder)).toBe(1000);
  }
});

test('what was owed for the plan before and is paid after a change counts for that plan', async () => {
  const holder = await addWalletHolder(service);
  const { body } = await ask(service, holder, 'POST', { planId: 'small', provider: 'paypal' });
  await press(body.checkoutUrl);
  const { providerPriceId: small } = await billedTo(body.subscriptionId);
  service.clock.advance({ minutes: 1 });
  const changed = await ask(service, holder, 'PATCH', { planId: 'large' });
  await press(changed.body.approvalUrl);
  const { providerSubscriptionId, providerPriceId } = await billedTo(body.subscriptionId);
  expect(providerPriceId).not.toBe(small);
  service.clock.advance({ days: 20 });
  const periodStart = service.clock.now();
  const bill = (invoiceId: string, amountCents: number) => ({
    kind: 'invoice' as const,
    invoiceId,
    providerSubscriptionId,
    subscriptionId: body.subscriptionId as string,
    paymentId: invoiceId,
    status: 'paid' as const,
    purpose: 'period' as const,
    providerPriceId,
    amountCents,
    currency: 'EUR',
    periodStart: periodStart.toISOString(),
    periodEnd: new Date(periodStart.getTime() + 30 * 86_400_000).toISOString(),
    invoiceUrl: null,
  });
  const paypal = service.ctx.payments.provider('paypal');
  await service.ctx.payments.applyFacts(paypal, [bill('OF_NO_PLAN', 1700), bill('LATE', 1000)]);
  expect(await countPurchases(service, holder)).toEqual({ completed: 2, credits: 2000 });
  expect((await ask(service, holder, 'GET')).body).toMatchObject({
    plan: { id: 'small' },
    nextPlan: { id: 'large' },
  });
});

/** At what price PayPal bills a subscription now, as far as is known here. */
async function billedTo(id: string) {
  const { rows } = await owner.query(
    `select provider_subscription_id as "providerSubscriptionId", provider_price_id as "providerPriceId"
       from payments.subscriptions where id = $1`,
    [id],
  );
  return rows[0] as { providerSubscriptionId: string; providerPriceId: string };
}
