import { randomUUID } from 'node:crypto';
import { afterEach, describe, expect, test } from 'vitest';
import { startTestService } from '../../../test/harness/index.ts';
import { addAdministrator, expectSound, post, readOwn } from '../../../test/harness/movements.ts';
import { startPaymentStandIn } from '../../../test/harness/payment-stand-in.ts';
import { ask, makePlan } from '../../../test/harness/plans.ts';
import { signStripe, stripeEvent, stripeSession } from '../../../test/harness/stripe-events.ts';
import { beginPurchase, sendToStripeWebhook } from '../../../test/harness/stripe-purchases.ts';
import { addWalletHolder, type WalletHolder } from '../../../test/harness/wallets.ts';

const standIn = await startPaymentStandIn();
const service = await startTestService({
  clock: standIn.clock,
  env: { ...standIn.settings, CREDITS_DAILY_FREE: '0', CREDITS_SIGNUP_BONUS: '0' },
});
standIn.deliverTo(service.url);
await makePlan(service, await addAdministrator(service), 'plus');
afterEach(() => expectSound(service));

const creditsOf = async (holder: WalletHolder): Promise<number> =>
  (await readOwn(service, holder, 'balance')).balance;

/** Presses the button on a page of a provider that pays. */
async function pressPay(url: string): Promise<void> {
  const body = new URLSearchParams({ choice: 'pay' });
  expect((await fetch(url, { method: 'POST', body, redirect: 'manual' })).status).toBe(303);
}

/** Tells of an object of Stripe's as an event. */
async function tell(type: string, object: unknown): Promise<void> {
  const at = service.clock.now();
  const body = stripeEvent({ id: `evt_${randomUUID()}`, type, object, at });
  const signature = signStripe(body, { at, secret: standIn.settings.STRIPE_WEBHOOK_SECRET });
  expect((await sendToStripeWebhook(service, body, signature)).status).toBe(200);
}

const refundAtStripe = (paymentId: string, amount: number) =>
  tell('refund.created', {
    id: `re_${randomUUID()}`,
    object: 'refund',
    status: 'succeeded',
    amount,
    currency: 'eur',
    payment_intent: paymentId,
    charge: null,
    metadata: {},
  });

/** The standard pack, 1000 credits for 1000 cents, paid with so much tax on top. */
async function buyAtStripe(taxOnTop: number, taxWithin: number): Promise<[WalletHolder, string]> {
  const holder = await addWalletHolder(service);
  const { checkoutId: id, purchaseId } = await beginPurchase(service, holder);
  const paymentId = `pi_${randomUUID()}`;
  const session = stripeSession({ id, purchaseId, paymentId, amountCents: 1000 });
  await tell('checkout.session.completed', {
    ...session,
    amount_total: 1000 + taxOnTop,
    total_details: { amount_discount: 0, amount_shipping: 0, amount_tax: taxOnTop + taxWithin },
  });
  return [holder, paymentId];
}

/** A month of 1000 credits for 1000 cents, billed with so much tax on top. */
async function subscribeAtStripe(taxOnTop: number, taxWithin: number): Promise<[WalletHolder, string]> {
  const holder = await addWalletHolder(service);
  const { body } = await ask(service, holder, 'POST', { planId: 'plus', provider: 'stripe' });
  await pressPay(body.checkoutUrl);
  const { subscriptions, invoices, invoicePayments } = standIn.world.state.stripe;
  const subscription = Object.values(subscriptions).at(-1);
  const invoice = Object.values(invoices).at(-1);
  const payment = Object.values(invoicePayments).find((one) => one.invoice === invoice?.id);
  await tell('customer.subscription.created', subscription);
  const [amount, behavior] = taxOnTop > 0 ? [taxOnTop, 'exclusive'] : [taxWithin, 'inclusive'];
  await tell('invoice.paid', {
    ...invoice,
    total: 1000 + taxOnTop,
    amount_paid: 1000 + taxOnTop,
    total_taxes: [{ amount, tax_behavior: behavior }],
  });
  const { payment_intent: paymentId } = payment?.payment ?? {};
  if (typeof paymentId !== 'string') throw new Error('the bill was not paid');
  return [holder, paymentId];
}

const taxes = [
  { kind: 'tax on top', onTop: 190, within: 0 },
  { kind: 'tax within', onTop: 0, within: 160 },
];

describe('at Stripe', () => {
  test.each(
    taxes.flatMap((tax) => [
      { ...tax, what: 'a pack', pay: buyAtStripe },
      { ...tax, what: 'a bill', pay: subscribeAtStripe },
    ]),
  )('a refund of half of $what with $kind takes half of its credits', async ({ onTop, within, pay }) => {
    const [holder, paymentId] = await pay(onTop, within);
    expect(await creditsOf(holder)).toBe(1000);
    const half = (1000 + onTop) / 2;
    await refundAtStripe(paymentId, half);
    expect(await creditsOf(holder)).toBe(500);
    await refundAtStripe(paymentId, half);
    expect(await readOwn(service, holder, 'balance')).toMatchObject({ balance: 0, debt: 0 });
    // More than all there was changes nothing.
    await refundAtStripe(paymentId, 100);
    expect(await readOwn(service, holder, 'balance')).toMatchObject({ balance: 0, debt: 0 });
  });
});

describe('at PayPal, which knows the price alone', () => {
  const paypal = service.ctx.payments.provider('paypal');
  const refund = async (paymentId: string) => {
    const order = { amountCents: 500, currency: 'EUR', reason: 'As agreed' };
    await paypal.refund({ refundRequestId: randomUUID(), paymentId, ...order });
    await standIn.deliver();
  };

  test('a refund of half of a pack takes half of its credits, of all all of them', async () => {
    const holder = await addWalletHolder(service);
    const { body } = await post(service, holder, 'purchase', { packageId: 'standard', provider: 'paypal' });
    await pressPay(body.checkoutUrl);
    await standIn.deliver();
    expect(await creditsOf(holder)).toBe(1000);
    const paymentId = Object.keys(standIn.world.state.paypal.captures).at(-1) ?? '';
    await refund(paymentId);
    expect(await creditsOf(holder)).toBe(500);
    await refund(paymentId);
    expect(await readOwn(service, holder, 'balance')).toMatchObject({ balance: 0, debt: 0 });
  });

  test('and so does one of a bill', async () => {
    const holder = await addWalletHolder(service);
    const { body } = await ask(service, holder, 'POST', { planId: 'plus', provider: 'paypal' });
    await pressPay(body.checkoutUrl);
    await standIn.deliver();
    expect(await creditsOf(holder)).toBe(1000);
    const paymentId = Object.keys(standIn.world.state.paypal.sales).at(-1) ?? '';
    await refund(paymentId);
    expect(await creditsOf(holder)).toBe(500);
    await refund(paymentId);
    expect(await readOwn(service, holder, 'balance')).toMatchObject({ balance: 0, debt: 0 });
  });
});
