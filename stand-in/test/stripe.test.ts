import Stripe from 'stripe';
import { describe, expect, test } from 'vitest';
import { idOf } from '../stripe/wire.ts';
import { packOrder, startBench, type Bench } from './harness.ts';

const typesOf = (bench: Bench) => bench.received.splice(0).map(({ event }) => event.type);

async function buy(bench: Bench, choice: Parameters<Bench['choose']>[1] = 'pay') {
  const session = await bench.stripe.checkout.sessions.create(packOrder);
  const location = await bench.choose(session.url ?? '', choice);
  const after = await bench.stripe.checkout.sessions.retrieve(session.id);
  return { session: after, intent: idOf(after.payment_intent) ?? '', location };
}

async function subscribe(bench: Bench) {
  const { stripe } = bench;
  const recurring = { interval: 'month' } as const;
  const product = await stripe.products.create({ name: 'Plus' });
  const price = { currency: 'eur', recurring, product: product.id };
  const small = await stripe.prices.create({ ...price, unit_amount: 900 });
  const large = await stripe.prices.create({ ...price, unit_amount: 1900 });
  const session = await stripe.checkout.sessions.create({
    mode: 'subscription',
    line_items: [{ price: small.id, quantity: 1 }],
    success_url: packOrder.success_url,
  });
  await bench.choose(session.url ?? '', 'pay');
  const { subscription } = await stripe.checkout.sessions.retrieve(session.id);
  return { id: idOf(subscription) ?? '', small: small.id, large: large.id };
}

const paidBills = async ({ stripe }: Bench, subscription: string) =>
  (await stripe.invoices.list({ subscription, limit: 100 })).data.filter(({ status }) => status === 'paid');

describe('a checkout', () => {
  test('is paid on its page and says so, in the order in which things happen', async () => {
    const bench = await startBench();
    const { session, location } = await buy(bench);
    expect(session).toMatchObject({
      status: 'complete',
      payment_status: 'paid',
      metadata: { purchase: 'one' },
    });
    expect(location).toBe(`http://localhost:3001/thanks?session=${session.id}`);
    await bench.deliver();
    expect(typesOf(bench)).toEqual([
      'payment_intent.created',
      'charge.succeeded',
      'payment_intent.succeeded',
      'checkout.session.completed',
    ]);
  });

  test('stays open when a card is declined, and can be paid with another', async () => {
    const bench = await startBench();
    const { session, intent } = await buy(bench, 'decline');
    expect(session.status).toBe('open');
    await bench.choose(session.url ?? '', 'pay');
    const paid = await bench.stripe.checkout.sessions.retrieve(session.id, { expand: ['payment_intent'] });
    expect(paid).toMatchObject({
      payment_status: 'paid',
      payment_intent: { id: intent, status: 'succeeded' },
    });
  });

  test.each([
    ['pay-later', 'paid', 'checkout.session.async_payment_succeeded'],
    ['fail-later', 'unpaid', 'checkout.session.async_payment_failed'],
  ] as const)('that goes through the banks (%s) is done when they are', async (choice, status, type) => {
    const bench = await startBench();
    const { session } = await buy(bench, choice);
    expect(session).toMatchObject({ status: 'complete', payment_status: 'unpaid' });
    await bench.deliver();
    bench.received.length = 0;
    bench.act('advance', { minutes: 2 });
    await bench.deliver();
    expect(typesOf(bench)).toContain(type);
    const after = await bench.stripe.checkout.sessions.retrieve(session.id);
    expect(after.payment_status).toBe(status);
  });

  test('goes back when it is cancelled, and expires when its time is over', async () => {
    const bench = await startBench();
    const { session, location } = await buy(bench, 'cancel');
    expect(location).toBe(packOrder.cancel_url);
    bench.wait(24 * 3600 + 1);
    expect(await bench.stripe.checkout.sessions.retrieve(session.id)).toMatchObject({
      status: 'expired',
      url: null,
    });
    await expect(bench.stripe.checkout.sessions.expire(session.id)).rejects.toThrow(/expired/);
    expect((await fetch(session.url ?? '')).status).toBe(410);
  });
});

describe('a call', () => {
  test('with a key is done once; the same key with another body is refused', async () => {
    const { stripe } = await startBench();
    const options = { idempotencyKey: 'one' };
    const first = await stripe.checkout.sessions.create(packOrder, options);
    expect((await stripe.checkout.sessions.create(packOrder, options)).id).toBe(first.id);
    expect((await stripe.checkout.sessions.list()).data).toHaveLength(1);
    const other = stripe.checkout.sessions.create({ ...packOrder, cancel_url: 'http://localhost' }, options);
    await expect(other).rejects.toMatchObject({ type: 'StripeIdempotencyError', statusCode: 400 });
  });

  test.each([
    ['a parameter too many', { ...packOrder, colour: 'blue' }, 'parameter_unknown', 'colour'],
    ['a parameter too few', { ...packOrder, line_items: [] }, 'parameter_missing', 'line_items'],
    [
      'a customer that is none',
      { ...packOrder, customer_email: '', customer: 'cus_none' },
      'resource_missing',
      'customer',
    ],
    [
      'a time that is too far',
      { ...packOrder, expires_at: 4_000_000_000 },
      'parameter_invalid',
      'expires_at',
    ],
  ])('with %s is refused in Stripe’s form', async (_, params, code, param) => {
    const { stripe } = await startBench();
    const refused = stripe.checkout.sessions.create(params);
    await expect(refused).rejects.toMatchObject({
      type: 'StripeInvalidRequestError',
      statusCode: 400,
      code,
      param,
    });
  });

  test('with another key, or for what there is not, is refused', async () => {
    const { stripe, url } = await startBench();
    const { hostname, port } = new URL(url);
    const stranger = new Stripe('sk_test_somebody', {
      host: hostname,
      port,
      protocol: 'http',
      maxNetworkRetries: 0,
    });
    await expect(stranger.customers.list()).rejects.toMatchObject({ statusCode: 401 });
    for (const id of ['cus_none', '__proto__', 'constructor']) {
      await expect(stripe.customers.retrieve(id)).rejects.toMatchObject({
        statusCode: 404,
        code: 'resource_missing',
      });
    }
  });

  test('for a list answers by pages, newest first, without gaps or repeats', async () => {
    const { stripe } = await startBench();
    const made: string[] = [];
    for (let number = 0; number < 7; number += 1) made.unshift((await stripe.customers.create({})).id);
    const page = await stripe.customers.list({ limit: 3 });
    expect(page.has_more).toBe(true);
    const found: string[] = [];
    for await (const { id } of stripe.customers.list({ limit: 3 })) found.push(id);
    expect(found).toEqual(made);
    const newer = await stripe.customers.list({ limit: 2, ending_before: made[4] ?? '' });
    expect(newer.data.map(({ id }) => id)).toEqual(made.slice(2, 4));
  });
});

describe('money on its way back', () => {
  test('is never more than was paid', async () => {
    const bench = await startBench();
    const { intent } = await buy(bench);
    const refund = (amount?: number) =>
      bench.stripe.refunds.create({ payment_intent: intent, ...(amount ? { amount } : {}) });
    await refund(200);
    await expect(refund(301)).rejects.toThrow(/greater than unrefunded/);
    expect((await refund()).amount).toBe(300);
    await expect(refund()).rejects.toMatchObject({ code: 'charge_already_refunded' });
  });

  test('goes with a dispute, and comes back when it is won', async () => {
    const bench = await startBench();
    const { intent } = await buy(bench);
    await bench.deliver();
    bench.received.length = 0;
    const dispute = bench.act('dispute', { payment: intent })?.id ?? '';
    await expect(bench.stripe.refunds.create({ payment_intent: intent })).rejects.toMatchObject({
      code: 'charge_disputed',
    });
    bench.act('close-dispute', { dispute, outcome: 'won' });
    await bench.deliver();
    expect(typesOf(bench)).toEqual([
      'charge.dispute.created',
      'charge.dispute.funds_withdrawn',
      'charge.dispute.updated',
      'charge.dispute.closed',
      'charge.dispute.funds_reinstated',
    ]);
    expect(() => bench.act('close-dispute', { dispute, outcome: 'lost' })).toThrow(/already closed/);
  });
});

describe('a subscription', () => {
  test('is billed once for each month of a year that goes by at once, from the day on which it began', async () => {
    const bench = await startBench();
    bench.wait(30 * 86_400); // 31 March, so that months are shorter than it
    const { id } = await subscribe(bench);
    bench.act('advance', { days: 365 });
    const bills = await paidBills(bench, id);
    const starts = bills.map(({ lines }) =>
      new Date((lines.data[0]?.period.start ?? 0) * 1000).toISOString().slice(5, 10),
    );
    expect(starts.toReversed().slice(0, 12)).toEqual([
      '03-31',
      '04-30',
      '05-31',
      '06-30',
      '07-31',
      '08-31',
      '09-30',
      '10-31',
      '11-30',
      '12-31',
      '01-31',
      '02-28',
    ]);
    expect(bills).toHaveLength(13);
  });

  test('is past due while its card is declined, and goes on when it is taken again', async () => {
    const bench = await startBench();
    const { id } = await subscribe(bench);
    bench.act('decline-renewals', { subscription: id, declines: 'yes' });
    bench.act('advance', { days: 31 });
    expect((await bench.stripe.subscriptions.retrieve(id)).status).toBe('past_due');
    bench.act('decline-renewals', { subscription: id, declines: 'no' });
    bench.act('advance', { days: 3, minutes: 1 });
    expect((await bench.stripe.subscriptions.retrieve(id)).status).toBe('active');
    expect(await paidBills(bench, id)).toHaveLength(2);
  });

  test('ends when its card is declined every time, and with its period when that was wanted', async () => {
    const bench = await startBench();
    const [declined, cancelled] = [await subscribe(bench), await subscribe(bench)];
    bench.act('decline-renewals', { subscription: declined.id, declines: 'yes' });
    await bench.stripe.subscriptions.update(cancelled.id, { cancel_at_period_end: true });
    bench.act('advance', { days: 60 });
    for (const { id } of [declined, cancelled]) {
      expect(await bench.stripe.subscriptions.retrieve(id)).toMatchObject({ status: 'canceled' });
      expect(await paidBills(bench, id)).toHaveLength(1);
    }
  });

  test('that is changed at once is billed for the rest of its period, and stays as it was when that is declined', async () => {
    const bench = await startBench();
    const { id, small, large } = await subscribe(bench);
    const { data } = (await bench.stripe.subscriptions.retrieve(id)).items;
    bench.act('advance', { minutes: (31 * 24 * 60) / 2 });
    const change = {
      items: [{ id: data[0]?.id ?? '', price: large }],
      proration_behavior: 'always_invoice',
      payment_behavior: 'error_if_incomplete',
    } satisfies Stripe.SubscriptionUpdateParams;
    bench.act('decline-renewals', { subscription: id, declines: 'yes' });
    await expect(bench.stripe.subscriptions.update(id, change)).rejects.toMatchObject({ statusCode: 402 });
    expect((await bench.stripe.subscriptions.retrieve(id)).items.data[0]?.price.id).toBe(small);
    bench.act('decline-renewals', { subscription: id, declines: 'no' });
    const changed = await bench.stripe.subscriptions.update(id, change);
    expect(changed.items.data[0]?.price.id).toBe(large);
    const [bill] = await paidBills(bench, id);
    expect(bill).toMatchObject({ billing_reason: 'subscription_update', total: 500 });
    expect(bill?.lines.data.map(({ amount }) => amount)).toEqual([-450, 950]);
  });

  test('is ended and kept on in the portal, which shows its bills as well', async () => {
    const bench = await startBench();
    const { id } = await subscribe(bench);
    const subscription = await bench.stripe.subscriptions.retrieve(id);
    const customer = idOf(subscription.customer) ?? '';
    const { url } = await bench.stripe.billingPortal.sessions.create({
      customer,
      return_url: 'http://localhost:3001/',
    });
    expect(await (await fetch(url)).text()).toMatch(/EUR 9.00 every\s+month,\s+renews on 2026-04-01/);
    for (const [cancels, ends] of [
      ['yes', true],
      ['no', false],
    ] as const) {
      const body = new URLSearchParams({ subscription: id, cancels });
      expect((await fetch(url, { method: 'POST', body, redirect: 'manual' })).status).toBe(303);
      expect((await bench.stripe.subscriptions.retrieve(id)).cancel_at_period_end).toBe(ends);
    }
    const [bill] = await paidBills(bench, id);
    expect(await (await fetch(bill?.hosted_invoice_url ?? '')).text()).toContain('EUR 9.00');
    expect((await fetch(`${bench.url}/portal/bps_none`)).status).toBe(404);
  });
});
