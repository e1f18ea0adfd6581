import { describe, expect, test } from 'vitest';
import { readAtNoon as read, noon as at, stripeSession } from '../../../../test/harness/stripe-events.ts';
import { readEvent } from './read-event.ts';

const purchaseId = '0195f0a0-0000-7000-8000-000000000001';

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

describe('a payment', () => {
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
