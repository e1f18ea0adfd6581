import { describe, expect, test } from 'vitest';
import { stripeEvent, stripeSession } from '../../../../test/harness/stripe-events.ts';
import { readEvent } from './read-event.ts';

const at = new Date('2026-03-01T12:00:00.000Z');
const purchaseId = '0195f0a0-0000-7000-8000-000000000001';
const subscriptionId = '0195f0a0-0000-7000-8000-000000000002';
const refundRequestId = '0195f0a0-0000-7000-8000-000000000003';

function read(type: string, object: unknown, options: { account?: string } = {}) {
  return readEvent(Buffer.from(stripeEvent({ id: 'evt_1', type, object, at, ...options })));
}

const session = (changes: object = {}) => ({
  ...stripeSession({ id: 'cs_1', purchaseId, paymentId: 'pi_1', amountCents: 1000, customerId: 'cus_1' }),
  ...changes,
});

const paidCheckout = {
  kind: 'checkout',
  checkoutId: 'cs_1',
  purchaseId,
  paymentId: 'pi_1',
  status: 'paid',
  amountCents: 1000,
  totalCents: 1000,
  currency: 'EUR',
  customerId: 'cus_1',
};

describe('a checkout', () => {
  test.each([
    ['checkout.session.completed', {}, 'paid'],
    ['checkout.session.completed', { payment_status: 'no_payment_required' }, 'paid'],
    ['checkout.session.completed', { payment_status: 'unpaid' }, 'processing'],
    ['checkout.session.async_payment_succeeded', {}, 'paid'],
    ['checkout.session.async_payment_failed', { payment_status: 'unpaid' }, 'failed'],
    ['checkout.session.expired', { status: 'expired', payment_status: 'unpaid' }, 'expired'],
    // Whatever a type is called: what has been paid stays paid.
    ['checkout.session.async_payment_failed', {}, 'paid'],
  ])('%s with %o is %s', (type, changes, status) => {
    expect(read(type, session(changes)).facts).toEqual([{ ...paidCheckout, status }]);
  });

  test('costs its price, whether tax is in it or on top of it', () => {
    const taxed = { amount_total: 1190, total_details: { amount_discount: 0, amount_tax: 190 } };
    const onTop = read('checkout.session.completed', session(taxed));
    expect(onTop.facts).toEqual([{ ...paidCheckout, totalCents: 1190 }]);
    const within = { total_details: { amount_discount: 0, amount_tax: 160 } };
    expect(read('checkout.session.completed', session(within)).facts).toEqual([paidCheckout]);
  });

  test('costs less with a discount, which then does not pay for it', () => {
    const discounted = { amount_total: 700, total_details: { amount_discount: 300, amount_tax: 0 } };
    const { facts } = read('checkout.session.completed', session(discounted));
    expect(facts).toMatchObject([{ amountCents: 700, totalCents: 700 }]);
  });

  test.each([[{}], [null], [{ obol_purchase_id: "1'; drop table" }], [{ obol_purchase_id: '' }]])(
    'with metadata %o is of no purchase',
    (metadata) => {
      const { facts } = read('checkout.session.completed', session({ metadata }));
      expect(facts).toMatchObject([{ purchaseId: null }]);
    },
  );

  test('of a subscription says nothing: its subscription and bills do', () => {
    expect(read('checkout.session.completed', session({ mode: 'subscription' })).facts).toEqual([]);
  });
});

describe('a payment', () => {
  const payment = (changes: object = {}) => ({
    id: 'pi_2',
    object: 'payment_intent',
    status: 'succeeded',
    amount: 500,
    currency: 'eur',
    customer: { id: 'cus_1' },
    metadata: { obol_purchase_id: purchaseId, obol_origin: 'saved_card' },
    ...changes,
  });

  test.each([
    ['payment_intent.succeeded', 'succeeded', 'paid'],
    ['payment_intent.processing', 'processing', 'processing'],
    ['payment_intent.payment_failed', 'requires_payment_method', 'failed'],
    ['payment_intent.canceled', 'canceled', 'failed'],
  ])('of a saved card: %s is %s', (type, status, expected) => {
    expect(read(type, payment({ status })).facts).toEqual([
      {
        kind: 'checkout',
        checkoutId: 'pi_2',
        purchaseId,
        paymentId: 'pi_2',
        status: expected,
        amountCents: 500,
        currency: 'EUR',
        customerId: 'cus_1',
      },
    ]);
  });

  test('of a checkout says nothing: its session does', () => {
    const { facts } = read(
      'payment_intent.succeeded',
      payment({ metadata: { obol_purchase_id: purchaseId } }),
    );
    expect(facts).toEqual([]);
  });
});

describe('money on its way back', () => {
  const refund = (changes: object = {}) => ({
    id: 're_1',
    object: 'refund',
    status: 'succeeded',
    amount: 250,
    currency: 'eur',
    payment_intent: 'pi_1',
    charge: 'ch_1',
    metadata: { obol_refund_request_id: refundRequestId },
    ...changes,
  });
  const fact = {
    kind: 'refund',
    refundId: 're_1',
    paymentId: 'pi_1',
    refundRequestId,
    status: 'succeeded',
    amountCents: 250,
    currency: 'EUR',
  };

  test.each([
    ['refund.created', 'pending', 'pending'],
    ['refund.created', 'requires_action', 'pending'],
    ['refund.created', null, 'pending'],
    ['refund.updated', 'succeeded', 'succeeded'],
    ['charge.refund.updated', 'succeeded', 'succeeded'],
    ['refund.failed', 'failed', 'failed'],
    ['refund.updated', 'canceled', 'failed'],
  ])('%s that is %s', (type, status, expected) => {
    expect(read(type, refund({ status })).facts).toEqual([{ ...fact, status: expected }]);
  });

  test('is of the charge where there is no payment intent, and of nothing without either', () => {
    expect(read('refund.created', refund({ payment_intent: null })).facts).toMatchObject([
      { paymentId: 'ch_1' },
    ]);
    expect(read('refund.created', refund({ payment_intent: null, charge: null })).facts).toEqual([]);
  });

  test('is in charge.refunded where Stripe sends the refunds along', () => {
    const charge = { id: 'ch_1', object: 'charge', payment_intent: 'pi_1' };
    const refunds = { object: 'list', data: [refund(), refund({ id: 're_2', amount: 100, metadata: {} })] };
    expect(read('charge.refunded', { ...charge, refunds }).facts).toEqual([
      fact,
      { ...fact, refundId: 're_2', amountCents: 100, refundRequestId: null },
    ]);
    expect(read('charge.refunded', charge).facts).toEqual([]);
  });

  const dispute = (status: string) => ({
    id: 'du_1',
    object: 'dispute',
    status,
    amount: 1000,
    currency: 'eur',
    payment_intent: 'pi_1',
    charge: 'ch_1',
  });

  test.each([
    ['charge.dispute.created', 'needs_response', 'open'],
    ['charge.dispute.updated', 'under_review', 'open'],
    ['charge.dispute.funds_withdrawn', 'needs_response', 'open'],
    ['charge.dispute.updated', 'appeal_under_review', 'open'],
    ['charge.dispute.closed', 'lost', 'lost'],
    ['charge.dispute.closed', 'won', 'won'],
    ['charge.dispute.funds_reinstated', 'won', 'won'],
    ['charge.dispute.created', 'prevented', 'won'],
  ])('%s that is %s', (type, status, expected) => {
    expect(read(type, dispute(status)).facts).toEqual([
      {
        kind: 'dispute',
        disputeId: 'du_1',
        paymentId: 'pi_1',
        status: expected,
        amountCents: 1000,
        currency: 'EUR',
      },
    ]);
  });

  test.each(['warning_needs_response', 'warning_under_review', 'warning_closed', 'a_state_of_tomorrow'])(
    'a dispute that is %s takes nothing',
    (status) => {
      expect(read('charge.dispute.updated', dispute(status)).facts).toEqual([]);
    },
  );

  test('a warning of a stolen card', () => {
    const warning = {
      id: 'issfr_1',
      object: 'radar.early_fraud_warning',
      actionable: true,
      fraud_type: 'made_with_stolen_card',
      payment_intent: 'pi_1',
      charge: 'ch_1',
    };
    expect(read('radar.early_fraud_warning.created', warning).facts).toEqual([
      {
        kind: 'fraud_warning',
        warningId: 'issfr_1',
        paymentId: 'pi_1',
        reason: 'made_with_stolen_card',
        isActionable: true,
      },
    ]);
  });
});

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

describe('a bill', () => {
  const line = (changes: object = {}, proration = false) => ({
    amount: 1900,
    period: { start: 1772366400, end: 1775044800 },
    parent: { invoice_item_details: null, subscription_item_details: { proration } },
    pricing: { price_details: { price: 'price_1', product: 'prod_1' } },
    ...changes,
  });
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
    expect(read('invoice.paid', invoice({ total: 2261, total_taxes })).facts).toEqual([fact]);
  });

  test.each([
    ['without a subscription', { parent: null }],
    ['without lines', { lines: { data: [] } }],
    ['of something else', { lines: { data: [line({ parent: null })] } }],
  ])('%s says nothing', (_, changes) => {
    expect(read('invoice.paid', invoice(changes)).facts).toEqual([]);
  });
});

describe('a body', () => {
  test('that says nothing about money is an event without facts', () => {
    expect(read('customer.created', { id: 'cus_1' })).toMatchObject({
      id: 'evt_1',
      type: 'customer.created',
      createdAt: at,
      isLive: false,
      facts: [],
    });
  });

  test('of an account that is only connected to ours has no facts: others choose what it says', () => {
    expect(read('checkout.session.completed', session(), { account: 'acct_other' }).facts).toEqual([]);
  });

  test.each(['constructor', '__proto__', 'charge.dispute', 'refund', 'invoice.'])(
    'of type %s is nothing we know',
    (type) => {
      expect(read(type, {}).facts).toEqual([]);
    },
  );

  test.each([
    '',
    'null',
    '[]',
    '{"id":"evt_1"}',
    '{"object":"v2.core.event","id":"evt_1","type":"x","created":1,"livemode":false,"data":{"object":{}}}',
    '{"object":"event","id":"evt_1","type":"x","created":"1","livemode":false,"data":{"object":{}}}',
  ])('%s is refused', (text) => {
    expect(() => readEvent(Buffer.from(text))).toThrow('request.invalid');
  });

  test.each([
    ['a price with a fraction', { amount_subtotal: 10.5 }],
    ['a price as text', { amount_subtotal: '1000' }],
    ['no currency at all', { currency: undefined }],
    ['metadata of another form', { metadata: [1] }],
  ])('with %s is refused', (_, changes) => {
    expect(() => read('checkout.session.completed', session(changes))).toThrow('request.invalid');
  });
});
