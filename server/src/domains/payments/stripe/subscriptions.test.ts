import { describe, expect, test } from 'vitest';
import { startStripeProvider } from '../../../../test/harness/stripe-provider.ts';

const { standIn, stripe, newId, order, choose, factsSince, deliver } = await startStripeProvider();

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
    const { fact, id, providerPriceId: expectedPriceId } = await subscribe();
    const providerPriceId = await stripe.ensurePrice({ ...plan, planId: 'max', priceCents: 4900 });
    const returnUrl = 'https://obol.example/';
    const change = { providerSubscriptionId: id, expectedPriceId, changeId: newId(), returnUrl };
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
    const { id, providerPriceId: expectedPriceId } = await subscribe();
    const change = {
      providerSubscriptionId: id,
      expectedPriceId,
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
      stripe.changeSubscription({
        ...change,
        changeId: newId(),
        expectedPriceId: cheaper,
        providerPriceId: yearly,
      }),
    ).rejects.toMatchObject({ code: 'payments.not_supported' });
  });

  test('that stands on another price than was expected is left as it is', async () => {
    const { id, providerPriceId: standsOn } = await subscribe();
    const [mini, max] = [
      await stripe.ensurePrice({ ...plan, planId: 'mini', priceCents: 900 }),
      await stripe.ensurePrice({ ...plan, planId: 'max', priceCents: 4900 }),
    ];
    const change = { providerSubscriptionId: id, changeId: newId(), returnUrl: 'https://obol.example/' };
    for (const isImmediate of [true, false]) {
      await expect(
        stripe.changeSubscription({ ...change, expectedPriceId: mini, providerPriceId: max, isImmediate }),
      ).rejects.toMatchObject({ code: 'payments.subscription_state' });
    }
    expect(await stripe.readSubscription(id)).toMatchObject({ providerPriceId: standsOn });
  });

  test('ends with its period, or goes on after all', async () => {
    const { id } = await subscribe();
    for (const cancels of [true, false]) {
      const order = { providerSubscriptionId: id, cancels, changeId: newId() };
      expect(await stripe.cancelSubscription(order)).toMatchObject({ cancelsAtPeriodEnd: cancels });
    }
  });

  test('ends at once, for good, and again it changes nothing', async () => {
    const { id } = await subscribe();
    for (let time = 0; time < 2; time++) {
      const order = { providerSubscriptionId: id, cancels: true, isAtOnce: true, changeId: newId() };
      expect(await stripe.cancelSubscription(order)).toMatchObject({ status: 'ended' });
    }
    expect(await stripe.readSubscription(id)).toMatchObject({ status: 'ended' });
    const nobodys = {
      providerSubscriptionId: 'sub_nobody',
      cancels: true,
      isAtOnce: true,
      changeId: newId(),
    };
    await expect(stripe.cancelSubscription(nobodys)).rejects.toMatchObject({
      code: 'payments.provider_refused',
    });
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
