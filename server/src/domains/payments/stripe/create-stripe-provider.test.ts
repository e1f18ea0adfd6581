import { describe, expect, test } from 'vitest';
import { idOf } from '../../../../../stand-in/stripe/wire.ts';
import { openDispute } from '../../../../../stand-in/stripe/disputes.ts';
import { signStripe, stripeEvent, stripeSession } from '../../../../test/harness/stripe-events.ts';
import { startStripeProvider } from '../../../../test/harness/stripe-provider.ts';
import { loadConfig } from '../../../config.ts';
import { capturingAll } from '../../../../test/harness/payments.ts';
import { createStripeProvider } from './create-stripe-provider.ts';

const { standIn, stripe, newId, order, choose, buy, factsSince, deliver, chargeOf } =
  await startStripeProvider();

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
    const refused = { code: 'payments.provider_refused' };
    await stripe.expireCheckout(checkoutId);
    await expect(stripe.expireCheckout(checkoutId)).rejects.toMatchObject(refused);
    expect(await stripe.readCheckout(checkoutId)).toMatchObject({ status: 'expired' });
    const paid = await buy();
    await expect(stripe.expireCheckout(paid.checkoutId)).rejects.toMatchObject(refused);
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

test('nobody changes a plan there, or ends one at once, whatever somebody has set meanwhile', async () => {
  const { fact } = await buy();
  const order = { customerId: fact.customerId ?? '', returnUrl: 'https://obol.example/credits' };
  const { portalSessions, portalConfigurations } = standIn.world.state.stripe;
  const open = async () => {
    const id = (await stripe.openPortal(order))?.split('/').at(-1) ?? '';
    return portalConfigurations[idOf(portalSessions[id]?.configuration) ?? ''];
  };
  const allowed = {
    features: {
      subscription_update: { enabled: false },
      subscription_cancel: { enabled: true, mode: 'at_period_end' },
      payment_method_update: { enabled: true },
      invoice_history: { enabled: true },
      customer_update: { enabled: false },
    },
  };
  const first = await open();
  expect(first).toMatchObject(allowed);
  expect((await open())?.id).toBe(first?.id);
  if (first) first.features.subscription_update.enabled = true;
  expect(await open()).toMatchObject({ id: first?.id, ...allowed });
  if (first) first.features.subscription_cancel.mode = 'immediately';
  expect(await open()).toMatchObject(allowed);
  expect(Object.keys(portalConfigurations)).toHaveLength(1);
});

describe('a delivery', () => {
  test('of the other mode is refused, in either direction', async () => {
    const { STRIPE_WEBHOOK_SECRET: secret } = standIn.settings;
    const config = loadConfig({ ...standIn.settings, STRIPE_SECRET_KEY: 'rk_live_sample' });
    const live = capturingAll(createStripeProvider({ config, clock: standIn.clock }));
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
  const lost = capturingAll(createStripeProvider({ config: loadConfig(settings), clock: standIn.clock }));
  await expect(lost.openCheckout(order())).rejects.toMatchObject({ code: 'payments.provider_unavailable' });
  const bare = { id: 'ch_1', object: 'charge', payment_intent: 'pi_1' };
  expect((await deliver('charge.refunded', bare, lost)).facts).toEqual([]);
});
