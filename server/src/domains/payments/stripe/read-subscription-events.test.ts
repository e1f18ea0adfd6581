import { describe, expect, test } from 'vitest';
import { readAtNoon as read } from '../../../../test/harness/stripe-events.ts';

const subscriptionId = '0195f0a0-0000-7000-8000-000000000002';

describe('a subscription', () => {
  const subscription = (changes: object = {}) => ({
    id: 'sub_1',
    object: 'subscription',
    status: 'active',
    cancel_at: null,
    cancel_at_period_end: false,
    customer: 'cus_1',
    items: {
      object: 'list',
      data: [{ current_period_start: 1772366400, current_period_end: 1775044800, price: { id: 'price_1' } }],
    },
    metadata: { obol_subscription_id: subscriptionId },
    ...changes,
  });
  const fact = {
    kind: 'subscription',
    providerSubscriptionId: 'sub_1',
    subscriptionId,
    status: 'active',
    providerPriceId: 'price_1',
    periodStart: '2026-03-01T12:00:00.000Z',
    periodEnd: '2026-04-01T12:00:00.000Z',
    cancelsAtPeriodEnd: false,
    customerId: 'cus_1',
    asOf: '2026-03-01T12:00:00.000Z',
  };

  test.each([
    ['customer.subscription.created', 'incomplete', 'incomplete'],
    ['customer.subscription.updated', 'active', 'active'],
    ['customer.subscription.trial_will_end', 'trialing', 'active'],
    ['customer.subscription.updated', 'past_due', 'past_due'],
    ['customer.subscription.updated', 'unpaid', 'past_due'],
    ['customer.subscription.paused', 'paused', 'past_due'],
    ['customer.subscription.deleted', 'canceled', 'ended'],
    ['customer.subscription.updated', 'incomplete_expired', 'ended'],
  ])('%s that is %s', (type, status, expected) => {
    expect(read(type, subscription({ status })).facts).toEqual([{ ...fact, status: expected }]);
  });

  test.each([{ cancel_at_period_end: true }, { cancel_at: 1775044800 }])(
    'ends with its period: %o',
    (how) => {
      expect(read('customer.subscription.updated', subscription(how)).facts).toEqual([
        { ...fact, cancelsAtPeriodEnd: true },
      ]);
    },
  );
});

const line = (changes: object = {}, proration = false) => ({
  amount: 1900,
  period: { start: 1772366400, end: 1775044800 },
  parent: { invoice_item_details: null, subscription_item_details: { proration } },
  pricing: { price_details: { price: 'price_1', product: 'prod_1' } },
  ...changes,
});

describe('a bill', () => {
  const invoice = (changes: object = {}) => ({
    id: 'in_1',
    object: 'invoice',
    status: 'paid',
    amount_paid: 1900,
    total: 1900,
    total_taxes: [],
    currency: 'eur',
    hosted_invoice_url: 'https://invoice.stripe.example/i/1',
    lines: { object: 'list', data: [line()] },
    parent: {
      quote_details: null,
      subscription_details: {
        subscription: 'sub_1',
        metadata: { obol_subscription_id: subscriptionId },
      },
    },
    // The bounds of an invoice are those of the period before: not what was paid for.
    period_start: 1769947200,
    period_end: 1772366400,
    ...changes,
  });
  const fact = {
    kind: 'invoice',
    invoiceId: 'in_1',
    providerSubscriptionId: 'sub_1',
    subscriptionId,
    paymentId: null,
    status: 'paid',
    purpose: 'period',
    providerPriceId: 'price_1',
    amountCents: 1900,
    totalCents: 1900,
    currency: 'EUR',
    periodStart: '2026-03-01T12:00:00.000Z',
    periodEnd: '2026-04-01T12:00:00.000Z',
    invoiceUrl: 'https://invoice.stripe.example/i/1',
  };

  test.each([
    ['invoice.finalized', 'open', 'open'],
    ['invoice.paid', 'paid', 'paid'],
    ['invoice.payment_succeeded', 'paid', 'paid'],
    ['invoice.payment_failed', 'open', 'failed'],
    ['invoice.payment_failed', 'paid', 'paid'],
    ['invoice.voided', 'void', 'void'],
    ['invoice.marked_uncollectible', 'uncollectible', 'failed'],
  ])('%s that is %s', (type, status, expected) => {
    expect(read(type, invoice({ status })).facts).toEqual([{ ...fact, status: expected }]);
  });

  test('names what paid it, where Stripe sends that along', () => {
    const payments = {
      data: [
        { status: 'canceled', payment: { type: 'payment_intent', payment_intent: 'pi_0' } },
        { status: 'paid', payment: { type: 'payment_intent', payment_intent: 'pi_1' } },
      ],
    };
    expect(read('invoice.paid', invoice({ payments })).facts).toMatchObject([{ paymentId: 'pi_1' }]);
  });

  test('for a change of plan is for the rest of the period, and costs the difference', () => {
    const data = [
      line({ amount: -950, period: { start: 1773662400, end: 1775044800 } }, true),
      line(
        {
          amount: 2450,
          period: { start: 1773662400, end: 1775044800 },
          pricing: { price_details: { price: { id: 'price_2' }, product: 'prod_1' } },
        },
        true,
      ),
    ];
    const changed = invoice({ total: 1500, lines: { data } });
    expect(read('invoice.paid', changed).facts).toEqual([
      {
        ...fact,
        totalCents: 1500,
        purpose: 'change',
        providerPriceId: 'price_2',
        amountCents: 1500,
        periodStart: '2026-03-16T12:00:00.000Z',
      },
    ]);
  });

  test('costs its price without the tax on top of it', () => {
    const total_taxes = [
      { amount: 361, tax_behavior: 'exclusive' },
      { amount: 100, tax_behavior: 'inclusive' },
    ];
    const { facts } = read('invoice.paid', invoice({ total: 2261, total_taxes }));
    expect(facts).toEqual([{ ...fact, totalCents: 2261 }]);
  });

  test.each([
    ['without a subscription', { parent: null }],
    ['without lines', { lines: { data: [] } }],
    ['of something else', { lines: { data: [line({ parent: null })] } }],
  ])('%s says nothing', (_, changes) => {
    expect(read('invoice.paid', invoice(changes)).facts).toEqual([]);
  });
});
