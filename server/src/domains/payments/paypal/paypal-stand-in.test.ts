import { randomUUID } from 'node:crypto';
import { afterEach, expect, test } from 'vitest';
import { startTestService } from '../../../../test/harness/index.ts';
import { expectSound, post, readOwn } from '../../../../test/harness/movements.ts';
import { startPaymentStandIn } from '../../../../test/harness/payment-stand-in.ts';
import { addWalletHolder } from '../../../../test/harness/wallets.ts';
import type { Fact } from '../fact.ts';

const standIn = await startPaymentStandIn();
const { STRIPE_SECRET_KEY: _key, ...settings } = standIn.settings;
const service = await startTestService({
  clock: standIn.clock,
  env: { CREDITS_DAILY_FREE: '0', CREDITS_SIGNUP_BONUS: '0', ...settings },
});
standIn.deliverTo(service.url);
const provider = service.ctx.payments.provider('paypal');
const holder = await addWalletHolder(service);

afterEach(() => expectSound(service));

/** Presses a button on the page that PayPal shows. */
const choose = async (url: string, choice: string) => {
  const body = new URLSearchParams({ choice });
  expect((await fetch(url, { method: 'POST', body, redirect: 'manual' })).status).toBe(303);
};
const money = async () => (await readOwn(service, holder, 'balance')).balance as number;
const listed = async () => {
  const facts: Fact[] = [];
  const { clock } = service;
  for await (const page of provider.listFacts(new Date(clock.now().getTime() - 86_400_000)))
    facts.push(...page);
  return facts;
};

test('a pack is paid at PayPal, captured, told of by signed webhooks, listed and refunded', async () => {
  const { status, body } = await post(service, holder, 'purchase', {
    packageId: 'standard',
    provider: 'paypal',
  });
  expect(status).toBe(200);
  await choose(body.checkoutUrl, 'pay');
  expect(await money()).toBe(0);
  expect(await standIn.deliver()).toBeGreaterThan(1);
  expect(await money()).toBe(1000);
  const [paid] = (await listed()).filter(({ kind }) => kind === 'checkout');
  expect(paid).toMatchObject({ purchaseId: body.purchaseId, status: 'paid', amountCents: 1000 });
  const paymentId = (paid as { paymentId: string }).paymentId;
  const order = {
    refundRequestId: randomUUID(),
    paymentId,
    amountCents: 400,
    currency: 'EUR',
    reason: 'As agreed',
  };
  const refund = await provider.refund(order);
  expect(refund).toMatchObject({ status: 'succeeded', amountCents: 400 });
  // The same request again is the same refund.
  expect(await provider.refund(order)).toEqual(refund);
  await standIn.deliver();
  expect(await money()).toBe(600);
  expect(await listed()).toContainEqual(refund);
});

test('a plan is subscribed to, changed once the customer agrees, and cancelled with its period', async () => {
  const price = {
    name: 'Pro',
    currency: 'EUR',
    interval: 'month',
    taxBehavior: 'inclusive',
    version: 1,
  } as const;
  const basic = await provider.ensurePrice({ ...price, planId: 'basic', priceCents: 500 });
  const pro = await provider.ensurePrice({ ...price, planId: 'pro', priceCents: 900 });
  expect(await provider.ensurePrice({ ...price, planId: 'pro', priceCents: 900 })).toBe(pro);
  const subscriptionId = randomUUID();
  const opened = await provider.openSubscription({
    subscriptionId,
    userId: holder.userId,
    email: 'dana@example.com',
    customerId: null,
    title: 'Basic',
    providerPriceId: basic,
    successUrl: `${service.url}/credits`,
    cancelUrl: `${service.url}/credits`,
    expiresAt: new Date(service.clock.now().getTime() + 3_600_000),
  });
  const providerSubscriptionId = opened.checkoutId;
  // Nobody has approved it yet.
  expect(await provider.readSubscription(providerSubscriptionId)).toBeNull();
  await choose(opened.url, 'pay');
  const begun = await provider.readSubscription(providerSubscriptionId);
  expect(begun).toMatchObject({ subscriptionId, status: 'active', providerPriceId: basic });
  const [bill] = (await listed()).filter(({ kind }) => kind === 'invoice');
  const { periodStart, periodEnd } = begun ?? {};
  expect(bill).toMatchObject({ subscriptionId, amountCents: 500, status: 'paid', periodStart, periodEnd });
  const changed = await provider.changeSubscription({
    providerSubscriptionId,
    expectedPriceId: basic,
    providerPriceId: pro,
    changeId: randomUUID(),
    isImmediate: false,
    returnUrl: `${service.url}/credits`,
  });
  expect(changed.fact).toBeNull();
  await choose(changed.approvalUrl ?? '', 'pay');
  expect(await provider.readSubscription(providerSubscriptionId)).toMatchObject({ providerPriceId: pro });
  const ending = await provider.cancelSubscription({
    providerSubscriptionId,
    cancels: true,
    changeId: randomUUID(),
  });
  expect(ending).toMatchObject({ status: 'active', cancelsAtPeriodEnd: true, periodEnd });
  service.clock.advance({ days: 31 });
  expect(await provider.readSubscription(providerSubscriptionId)).toMatchObject({ status: 'ended' });
});
