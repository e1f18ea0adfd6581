import { beforeAll, describe, expect, test } from 'vitest';
import { openDispute } from '../../../../../stand-in/stripe/disputes.ts';
import { loadConfig } from '../../../config.ts';
import { startPaymentStandIn } from '../../../../test/harness/payment-stand-in.ts';
import { signStripe, stripeEvent, stripeSession } from '../../../../test/harness/stripe-events.ts';
import type { Fact } from '../facts.ts';
import type { CheckoutOrder, PaymentProvider } from '../provider.ts';
import { createStripeProvider } from './create-stripe-provider.ts';

let standIn: Awaited<ReturnType<typeof startPaymentStandIn>>;
let stripe: PaymentProvider;

beforeAll(async () => {
  standIn = await startPaymentStandIn();
  stripe = createStripeProvider({ config: loadConfig(standIn.settings), clock: standIn.clock });
});

let numbers = 0;
const newId = () => `0195f0a0-0000-7000-8000-${String((numbers += 1)).padStart(12, '0')}`;

function order(changes: Partial<CheckoutOrder> = {}): CheckoutOrder {
  return {
    purchaseId: newId(),
    userId: newId(),
    email: 'ada@example.com',
    customerId: null,
    title: 'Standard',
    amountCents: 1000,
    currency: 'EUR',
    taxBehavior: 'inclusive',
    savesCard: false,
    successUrl: 'https://obol.example/credits?ok',
    cancelUrl: 'https://obol.example/credits',
    expiresAt: new Date(standIn.clock.now().getTime() + 23 * 3_600_000),
    ...changes,
  };
}

async function choose(url: string, choice: string): Promise<void> {
  const body = new URLSearchParams({ choice });
  const { status } = await fetch(url, { method: 'POST', body, redirect: 'manual' });
  expect([303, 402]).toContain(status);
}

async function buy(changes: Partial<CheckoutOrder> = {}) {
  const asked = order(changes);
  const { checkoutId, url } = await stripe.openCheckout(asked);
  await choose(url, 'pay');
  const fact = await stripe.readCheckout(checkoutId);
  if (!fact?.paymentId) throw new Error('it was not paid');
  return { order: asked, checkoutId, fact, paymentId: fact.paymentId };
}

async function factsSince(since: Date): Promise<Fact[]> {
  const facts: Fact[] = [];
  for await (const page of stripe.listFacts(since)) facts.push(...page);
  return facts;
}

describe('a checkout', () => {
  test('is open, then paid with what it costs, by whom', async () => {
    const asked = order();
    const opened = await stripe.openCheckout(asked);
    expect(opened.expiresAt).toEqual(asked.expiresAt);
    const open = await stripe.readCheckout(opened.checkoutId);
    expect(open).toMatchObject({ status: 'open', purchaseId: asked.purchaseId, amountCents: 1000 });
    await choose(opened.url, 'pay');
    expect(await stripe.readCheckout(opened.checkoutId)).toEqual({
      kind: 'checkout',
      checkoutId: opened.checkoutId,
      purchaseId: asked.purchaseId,
      paymentId: expect.stringMatching(/^pi_/),
      status: 'paid',
      amountCents: 1000,
      totalCents: 1000,
      currency: 'EUR',
      customerId: expect.stringMatching(/^cus_/),
    });
  });

  test('is the same one when it is opened again, also at once', async () => {
    const asked = order();
    const opened = await Promise.all([1, 2, 3].map(() => stripe.openCheckout(asked)));
    expect(new Set(opened.map(({ checkoutId }) => checkoutId)).size).toBe(1);
  });

  test.each([
    ['pay-later', 'paid'],
    ['fail-later', 'failed'],
  ])('through the banks (%s) is under way, then %s', async (choice, status) => {
    const { checkoutId, url } = await stripe.openCheckout(order());
    await choose(url, choice);
    expect(await stripe.readCheckout(checkoutId)).toMatchObject({ status: 'processing' });
    standIn.clock.advance({ minutes: 2 });
    expect(await stripe.readCheckout(checkoutId)).toMatchObject({ status });
  });

  test('with a card that is declined stays open', async () => {
    const { checkoutId, url } = await stripe.openCheckout(order());
    await choose(url, 'decline');
    expect(await stripe.readCheckout(checkoutId)).toMatchObject({ status: 'open' });
  });

  test('is taken away, and once more; one that is paid stays', async () => {
    const { checkoutId } = await stripe.openCheckout(order());
    await stripe.expireCheckout(checkoutId);
    await stripe.expireCheckout(checkoutId);
    expect(await stripe.readCheckout(checkoutId)).toMatchObject({ status: 'expired' });
    const paid = await buy();
    await stripe.expireCheckout(paid.checkoutId);
    expect(await stripe.readCheckout(paid.checkoutId)).toMatchObject({ status: 'paid' });
  });

  test.each(['cs_test_nobody_knows', 'pi_nobody_knows'])('that is not there is null: %s', async (id) => {
    expect(await stripe.readCheckout(id)).toBeNull();
  });

  test('that Stripe refuses is refused, without what it said in public', async () => {
    const asked = order({ expiresAt: new Date(standIn.clock.now().getTime() + 60_000) });
    await expect(stripe.openCheckout(asked)).rejects.toMatchObject({ code: 'payments.provider_refused' });
  });
});

describe('a refund', () => {
  test('names the payment and our request, and happens once', async () => {
    const { paymentId } = await buy();
    const refundRequestId = newId();
    const asked = { refundRequestId, paymentId, amountCents: 400, currency: 'EUR', reason: 'asked for' };
    const facts = await Promise.all([stripe.refund(asked), stripe.refund(asked)]);
    expect(facts[0]).toMatchObject({ kind: 'refund', paymentId, refundRequestId, amountCents: 400 });
    expect(facts[1]).toEqual(facts[0]);
    const second = { ...asked, refundRequestId: newId(), amountCents: 601 };
    await expect(stripe.refund(second)).rejects.toMatchObject({ code: 'payments.provider_refused' });
  });

  test('that a charge says nothing of is asked for', async () => {
    const { paymentId } = await buy();
    const charge = chargeOf(paymentId);
    await stripe.refund({
      refundRequestId: newId(),
      paymentId,
      amountCents: 300,
      currency: 'EUR',
      reason: 'asked for',
    });
    const { facts } = await deliver('charge.refunded', {
      id: charge.id,
      object: 'charge',
      payment_intent: paymentId,
    });
    expect(facts).toMatchObject([{ kind: 'refund', paymentId, amountCents: 300 }]);
  });
});

describe('a saved card', () => {
  test('is charged once, and the payment is its own checkout', async () => {
    const { fact } = await buy({ savesCard: true });
    const asked = {
      purchaseId: newId(),
      customerId: fact.customerId ?? '',
      amountCents: 500,
      currency: 'EUR',
      title: 'Standard',
    };
    const charged = await stripe.chargeSavedCard(asked);
    expect(charged).toMatchObject({ purchaseId: asked.purchaseId, status: 'paid', amountCents: 500 });
    expect(charged?.checkoutId).toBe(charged?.paymentId);
    expect(await stripe.chargeSavedCard(asked)).toEqual(charged);
    expect(await stripe.readCheckout(charged?.checkoutId ?? '')).toEqual(charged);
  });

  test('that is declined is a payment that has failed', async () => {
    const { fact } = await buy({ savesCard: true });
    const { paymentMethods, declinedMethods } = standIn.world.state.stripe;
    const card = Object.values(paymentMethods).find(({ customer }) => customer === fact.customerId);
    declinedMethods.push(card?.id ?? '');
    const asked = { customerId: fact.customerId ?? '', amountCents: 500, currency: 'EUR', title: 'Standard' };
    const charged = await stripe.chargeSavedCard({ ...asked, purchaseId: newId() });
    expect(charged).toMatchObject({ status: 'failed' });
  });

  test('that is not there is null, as is a customer who is not', async () => {
    const { fact } = await buy();
    const asked = { amountCents: 500, currency: 'EUR', title: 'Standard' };
    for (const customerId of [fact.customerId ?? '', 'cus_nobody'])
      expect(await stripe.chargeSavedCard({ ...asked, customerId, purchaseId: newId() })).toBeNull();
  });
});

describe('a subscription', () => {
  const plan = {
    planId: 'pro',
    version: 1,
    name: 'Pro',
    priceCents: 1900,
    currency: 'EUR',
    interval: 'month' as const,
    taxBehavior: 'inclusive' as const,
  };

  async function subscribe() {
    const providerPriceId = await stripe.ensurePrice(plan);
    const subscriptionId = newId();
    const { purchaseId: _, ...asked } = order();
    const { url } = await stripe.openSubscription({ ...asked, subscriptionId, providerPriceId });
    await choose(url, 'pay');
    const facts = await factsSince(standIn.clock.now());
    const fact = facts.find((one) => one.kind === 'subscription' && one.subscriptionId === subscriptionId);
    if (fact?.kind !== 'subscription') throw new Error('there is no subscription');
    return { fact, facts, providerPriceId, id: fact.providerSubscriptionId };
  }

  test('has a price that is made once, and another one for other terms', async () => {
    const first = await stripe.ensurePrice(plan);
    expect(await stripe.ensurePrice(plan)).toBe(first);
    expect(await stripe.ensurePrice({ ...plan, priceCents: 2000 })).not.toBe(first);
    expect(await stripe.ensurePrice({ ...plan, version: 2 })).not.toBe(first);
  });

  test('and its first bill say what was paid, and for how long', async () => {
    const { fact, facts, providerPriceId, id } = await subscribe();
    expect(fact).toMatchObject({ status: 'active', providerPriceId, cancelsAtPeriodEnd: false });
    const bill = facts.find((one) => one.kind === 'invoice' && one.providerSubscriptionId === id);
    expect(bill).toMatchObject({
      subscriptionId: fact.subscriptionId,
      status: 'paid',
      purpose: 'period',
      providerPriceId,
      amountCents: 1900,
      periodStart: fact.periodStart,
      periodEnd: fact.periodEnd,
      paymentId: expect.stringMatching(/^pi_/),
    });
    expect(await stripe.readSubscription(id)).toEqual(fact);
    expect(await stripe.readSubscription('sub_nobody')).toBeNull();
  });

  test('is put on a dearer plan at once, and the difference is billed', async () => {
    const { fact, id } = await subscribe();
    const providerPriceId = await stripe.ensurePrice({ ...plan, planId: 'max', priceCents: 4900 });
    const change = { providerSubscriptionId: id, changeId: newId(), returnUrl: 'https://obol.example/' };
    const changed = await stripe.changeSubscription({ ...change, providerPriceId, isImmediate: true });
    expect(changed).toMatchObject({
      approvalUrl: null,
      fact: { providerPriceId, periodEnd: fact.periodEnd },
    });
    const bills = (await factsSince(standIn.clock.now())).filter(
      (one) => one.kind === 'invoice' && one.providerSubscriptionId === id && one.purpose === 'change',
    );
    expect(bills).toMatchObject([
      { status: 'paid', providerPriceId, amountCents: 3000, periodEnd: fact.periodEnd },
    ]);
  });

  test('is put on another plan with its next period, without a bill, if that is as long', async () => {
    const { id } = await subscribe();
    const change = {
      providerSubscriptionId: id,
      changeId: newId(),
      returnUrl: 'https://obol.example/',
      isImmediate: false,
    };
    const cheaper = await stripe.ensurePrice({ ...plan, planId: 'mini', priceCents: 900 });
    const changed = await stripe.changeSubscription({ ...change, providerPriceId: cheaper });
    expect(changed.fact).toMatchObject({ providerPriceId: cheaper });
    const bills = (await factsSince(standIn.clock.now())).filter(
      (one) => one.kind === 'invoice' && one.providerSubscriptionId === id,
    );
    expect(bills).toHaveLength(1);
    const yearly = await stripe.ensurePrice({ ...plan, planId: 'mini', interval: 'year' });
    await expect(
      stripe.changeSubscription({ ...change, changeId: newId(), providerPriceId: yearly }),
    ).rejects.toMatchObject({ code: 'payments.not_supported' });
  });

  test('ends with its period, or goes on after all', async () => {
    const { id } = await subscribe();
    for (const cancels of [true, false]) {
      const order = { providerSubscriptionId: id, cancels, changeId: newId() };
      expect(await stripe.cancelSubscription(order)).toMatchObject({ cancelsAtPeriodEnd: cancels });
    }
  });

  test('has bills that do not say what paid them; that is asked for', async () => {
    const { id } = await subscribe();
    const { invoices } = standIn.world.state.stripe;
    const bill = Object.values(invoices).find(
      ({ parent }) => parent?.subscription_details?.subscription === id,
    );
    const { payments: _, ...bare } = bill ?? {};
    const { facts } = await deliver('invoice.paid', bare);
    expect(facts).toMatchObject([{ kind: 'invoice', paymentId: expect.stringMatching(/^pi_/) }]);
  });
});

test('what is listed is how things stand now, whatever has been forgotten meanwhile', async () => {
  const since = standIn.clock.now();
  standIn.clock.advance({ days: 2 });
  const { paymentId, checkoutId } = await buy();
  const refund = {
    refundRequestId: newId(),
    paymentId,
    amountCents: 100,
    currency: 'EUR',
    reason: 'asked for',
  };
  const { refundId } = await stripe.refund(refund);
  const disputed = openDispute(standIn.world, chargeOf(paymentId), 900);
  const facts = await factsSince(since);
  const about = facts.filter((fact) => 'paymentId' in fact && fact.paymentId === paymentId);
  expect(about).toMatchObject([
    { kind: 'checkout', checkoutId, status: 'paid' },
    { kind: 'refund', refundId, amountCents: 100 },
    { kind: 'dispute', disputeId: disputed.id, status: 'open', amountCents: 900 },
  ]);
  expect(await factsSince(new Date(since.getTime() + 400 * 86_400_000))).not.toContainEqual(about[0]);
});

test('the page for cards and bills belongs to the customer', async () => {
  const { fact } = await buy();
  const returnUrl = 'https://obol.example/credits';
  expect(await stripe.openPortal({ customerId: fact.customerId ?? '', returnUrl })).toMatch(/^http/);
  await expect(stripe.openPortal({ customerId: 'cus_nobody', returnUrl })).rejects.toMatchObject({
    code: 'payments.provider_refused',
  });
});

describe('a delivery', () => {
  test('of the other mode is refused, in either direction', async () => {
    const { STRIPE_WEBHOOK_SECRET: secret } = standIn.settings;
    const live = createStripeProvider({
      config: loadConfig({ ...standIn.settings, STRIPE_SECRET_KEY: 'rk_live_sample' }),
      clock: standIn.clock,
    });
    expect([stripe.isLive, live.isLive]).toEqual([false, true]);
    const at = standIn.clock.now();
    for (const [provider, livemode] of [
      [stripe, true],
      [live, false],
    ] as const) {
      const body = stripeEvent({ id: 'evt_mode', type: 'customer.created', object: {}, at, livemode });
      const delivery = provider.readDelivery(Buffer.from(body), {
        'stripe-signature': signStripe(body, { at, secret }),
      });
      await expect(delivery).rejects.toMatchObject({ code: 'payments.wrong_mode' });
    }
  });

  test('is read without asking anybody', async () => {
    const object = stripeSession({ id: 'cs_x', purchaseId: null, paymentId: 'pi_x', amountCents: 100 });
    const { facts } = await deliver('checkout.session.completed', object);
    expect(facts).toMatchObject([{ kind: 'checkout', checkoutId: 'cs_x' }]);
  });
});

test('when Stripe cannot be reached nobody can say what came of it; deliveries are read all the same', async () => {
  const settings = { ...standIn.settings, STRIPE_API_BASE: 'http://localhost:9' };
  const lost = createStripeProvider({ config: loadConfig(settings), clock: standIn.clock });
  await expect(lost.openCheckout(order())).rejects.toMatchObject({ code: 'payments.provider_unavailable' });
  const bare = { id: 'ch_1', object: 'charge', payment_intent: 'pi_1' };
  expect((await deliver('charge.refunded', bare, lost)).facts).toEqual([]);
});

function deliver(type: string, object: unknown, provider = stripe) {
  const at = standIn.clock.now();
  const body = stripeEvent({ id: `evt_${type}`, type, object, at });
  const signature = signStripe(body, { at, secret: standIn.settings.STRIPE_WEBHOOK_SECRET });
  return provider.readDelivery(Buffer.from(body), { 'stripe-signature': signature });
}

function chargeOf(paymentId: string) {
  const charge = Object.values(standIn.world.state.stripe.charges).find(
    ({ payment_intent: payment }) => payment === paymentId,
  );
  if (!charge) throw new Error('there is no charge');
  return charge;
}
