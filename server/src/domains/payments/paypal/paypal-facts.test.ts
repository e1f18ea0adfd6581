import { describe, expect, test } from 'vitest';
import { issueCertificate } from '../../../../test/harness/certificates.ts';
import { createTestClock } from '../../../../test/harness/index.ts';
import {
  certificateAddress,
  certificateName,
  createFakePaypal,
  createTestPaypal,
  eventOf,
  json,
  refusalOf,
  signDelivery,
  testAuthority,
} from '../../../../test/harness/paypal.ts';

const signer = issueCertificate({ name: certificateName, issuer: testAuthority() });
const purchaseId = '0199b4e2-7c1d-7b60-8a0e-3f5f8f5b0c11';
const subscriptionId = '0199b4e2-7c1d-7b60-8a0e-3f5f8f5b0c22';
const refundRequestId = '0199b4e2-7c1d-7b60-8a0e-3f5f8f5b0c33';
const eur = (value: string) => ({ currency_code: 'EUR', value });
const up = (path: string) => ({ rel: 'up', method: 'GET', href: `https://api.sandbox.paypal.com${path}` });

const capture = (more: object = {}) => ({
  id: '2GG279541U471931P',
  status: 'COMPLETED',
  amount: eur('10.00'),
  custom_id: purchaseId,
  invoice_id: purchaseId,
  supplementary_data: { related_ids: { order_id: '5O190127TN364715T' } },
  links: [up('/v2/checkout/orders/5O190127TN364715T')],
  ...more,
});
const order = (more: object = {}, unit: object = {}) => ({
  id: '5O190127TN364715T',
  intent: 'CAPTURE',
  status: 'APPROVED',
  purchase_units: [{ reference_id: purchaseId, custom_id: purchaseId, amount: eur('10.00'), ...unit }],
  payer: { payer_id: 'QYR5Z8XDVJNXQ', email_address: 'dana@example.com' },
  update_time: '2026-03-01T11:59:58Z',
  ...more,
});
const subscription = (more: object = {}) => ({
  id: 'I-BW452GLLEP1G',
  plan_id: 'P-5ML4271244454362WXNWU5NQ',
  custom_id: subscriptionId,
  status: 'ACTIVE',
  update_time: '2026-03-01T11:59:00Z',
  subscriber: { payer_id: 'QYR5Z8XDVJNXQ' },
  billing_info: {
    last_payment: { amount: eur('9.00'), time: '2026-02-28T10:00:00Z' },
    next_billing_time: '2026-03-28T10:00:00Z',
    failed_payments_count: 0,
  },
  ...more,
});
const sale = (more: object = {}) => ({
  id: '44P499886K055384U',
  billing_agreement_id: 'I-BW452GLLEP1G',
  amount: { total: '9.00', currency: 'EUR' },
  state: 'completed',
  create_time: '2026-01-31T10:00:00Z',
  ...more,
});

/** What an event says, once the adapter has read its delivery. */
const arrive = () => {
  const clock = createTestClock();
  const fake = createFakePaypal();
  fake.on('GET', certificateAddress, () => new Response(signer.pem));
  fake.on('GET', '/v1/billing/plans/P-5ML4271244454362WXNWU5NQ', {
    id: 'P-5ML4271244454362WXNWU5NQ',
    billing_cycles: [{ tenure_type: 'REGULAR', frequency: { interval_unit: 'MONTH', interval_count: 1 } }],
  });
  fake.on('GET', '/v1/billing/subscriptions/I-BW452GLLEP1G', subscription());
  const provider = createTestPaypal(fake, clock);
  const read = async (type: string, resource: object) => {
    const body = JSON.stringify(eventOf(type, resource));
    return (await provider.readDelivery(Buffer.from(body), signDelivery(body, clock, signer))).facts;
  };
  return { clock, fake, provider, read };
};

describe('a payment', () => {
  const paid = {
    kind: 'checkout',
    checkoutId: '5O190127TN364715T',
    purchaseId,
    paymentId: '2GG279541U471931P',
    status: 'paid',
    amountCents: 1000,
    currency: 'EUR',
    customerId: null,
  };

  test('is told by its capture, of whatever state', async () => {
    const { read } = arrive();
    expect(await read('PAYMENT.CAPTURE.COMPLETED', capture())).toEqual([paid]);
    const pending = capture({ status: 'PENDING' });
    expect(await read('PAYMENT.CAPTURE.PENDING', pending)).toEqual([{ ...paid, status: 'processing' }]);
    const declined = capture({ status: 'DECLINED' });
    expect(await read('PAYMENT.CAPTURE.DENIED', declined)).toEqual([{ ...paid, status: 'failed' }]);
    const refunded = capture({ status: 'PARTIALLY_REFUNDED' });
    expect(await read('PAYMENT.CAPTURE.COMPLETED', refunded)).toEqual([paid]);
  });

  test('knows its order by its link, else by itself, and somebody else by no id of ours', async () => {
    const { read } = arrive();
    const linked = capture({ supplementary_data: undefined });
    expect(await read('PAYMENT.CAPTURE.COMPLETED', linked)).toEqual([paid]);
    const alone = capture({ supplementary_data: undefined, links: undefined, custom_id: 'order 17' });
    expect(await read('PAYMENT.CAPTURE.COMPLETED', alone)).toEqual([
      { ...paid, checkoutId: '2GG279541U471931P', purchaseId: null },
    ]);
  });

  test.each([
    ['7', 'EUR', 700],
    ['7.1', 'EUR', 710],
    ['0.29', 'USD', 29],
    ['1234567890.12', 'USD', 123_456_789_012],
    ['500', 'JPY', 500],
    ['500.00', 'JPY', 500],
    ['990', 'HUF', 99_000],
  ])('of %s %s is %i minor units', async (value, currency_code, amountCents) => {
    const { read } = arrive();
    const [fact] = await read('PAYMENT.CAPTURE.COMPLETED', capture({ amount: { currency_code, value } }));
    expect(fact).toMatchObject({ amountCents, currency: currency_code });
  });

  test.each(['1e3', '10,00', '0x10', '10.001', '500.5 ', '', null, 10])(
    'of %j is no amount, so the delivery is refused',
    async (value) => {
      const { read } = arrive();
      const odd = capture({ amount: { currency_code: 'EUR', value } });
      await expect(read('PAYMENT.CAPTURE.COMPLETED', odd)).rejects.toMatchObject({ code: 'request.invalid' });
    },
  );

  test('is captured when the customer has approved it', async () => {
    const { read, fake } = arrive();
    const whole = order({ status: 'COMPLETED' }, { payments: { captures: [capture()] } });
    fake.on('GET', '/v2/checkout/orders/5O190127TN364715T', order());
    fake.on('POST', '/v2/checkout/orders/5O190127TN364715T/capture', () => json(whole, 201));
    expect(await read('CHECKOUT.ORDER.APPROVED', order())).toEqual([
      { ...paid, customerId: 'QYR5Z8XDVJNXQ' },
    ]);
    const call = fake.asked.at(-1);
    expect(call?.headers.get('paypal-request-id')).toBe('capture-5O190127TN364715T-2026-03-01T11:59:58Z');
  });

  test('that cannot be captured now is on its way, and that of somebody else is left alone', async () => {
    const { read, fake } = arrive();
    fake.on('GET', '/v2/checkout/orders/5O190127TN364715T', () => new Response('', { status: 500 }));
    const onItsWay = { ...paid, paymentId: null, status: 'processing', customerId: 'QYR5Z8XDVJNXQ' };
    expect(await read('CHECKOUT.ORDER.APPROVED', order())).toEqual([onItsWay]);
    const foreign = order({}, { custom_id: 'order 17' });
    fake.on('GET', '/v2/checkout/orders/5O190127TN364715T', foreign);
    expect(await read('CHECKOUT.ORDER.APPROVED', foreign)).toEqual([{ ...onItsWay, purchaseId: null }]);
    expect(fake.count('/v2/checkout/orders/5O190127TN364715T/capture')).toBe(0);
  });

  test('is told by its order, too', async () => {
    const { read } = arrive();
    const declined = capture({ id: '0AA', status: 'DECLINED' });
    const completed = order({ status: 'COMPLETED' }, { payments: { captures: [declined, capture()] } });
    expect(await read('CHECKOUT.ORDER.COMPLETED', completed)).toEqual([
      { ...paid, customerId: 'QYR5Z8XDVJNXQ' },
    ]);
    expect(await read('CHECKOUT.ORDER.VOIDED', order({ status: 'VOIDED' }))).toMatchObject([
      { status: 'expired', paymentId: null },
    ]);
  });
});

describe('money on its way back', () => {
  const refund = (more: object = {}) => ({
    id: '1JU08902781691411',
    status: 'COMPLETED',
    amount: eur('4.00'),
    custom_id: purchaseId,
    links: [up('/v2/payments/captures/2GG279541U471931P')],
    ...more,
  });
  const fact = {
    kind: 'refund',
    refundId: '1JU08902781691411',
    paymentId: '2GG279541U471931P',
    refundRequestId: null,
    status: 'succeeded',
    amountCents: 400,
    currency: 'EUR',
  };

  test('is a refund, of ours when it bears our mark', async () => {
    const { read } = arrive();
    expect(await read('PAYMENT.CAPTURE.REFUNDED', refund())).toEqual([fact]);
    const own = refund({ custom_id: `refund:${refundRequestId}` });
    expect(await read('PAYMENT.CAPTURE.REFUNDED', own)).toEqual([{ ...fact, refundRequestId }]);
    const pending = refund({ status: 'PENDING' });
    expect(await read('PAYMENT.REFUND.PENDING', pending)).toEqual([{ ...fact, status: 'pending' }]);
    const failed = refund({ status: 'FAILED' });
    expect(await read('PAYMENT.REFUND.FAILED', failed)).toEqual([{ ...fact, status: 'failed' }]);
    const nothing = refund({ links: [] });
    await expect(read('PAYMENT.CAPTURE.REFUNDED', nothing)).rejects.toMatchObject({
      code: 'request.invalid',
    });
  });

  test('is a refund of a payment for a subscription', async () => {
    const { read } = arrive();
    const refunded = {
      id: '6YX43824R4443062K',
      sale_id: '44P499886K055384U',
      state: 'completed',
      amount: { total: '-9.00', currency: 'EUR' },
    };
    expect(await read('PAYMENT.SALE.REFUNDED', refunded)).toEqual([
      { ...fact, refundId: '6YX43824R4443062K', paymentId: '44P499886K055384U', amountCents: 900 },
    ]);
  });

  test('that PayPal takes back counts as lost until a case tells of it, whichever comes first', async () => {
    const { read } = arrive();
    const [reversal] = await read('PAYMENT.CAPTURE.REVERSED', refund({ amount: eur('-10.00') }));
    expect(reversal).toEqual({
      kind: 'dispute',
      disputeId: 'reversal:2GG279541U471931P',
      paymentId: '2GG279541U471931P',
      status: 'lost',
      amountCents: 1000,
      currency: 'EUR',
    });
    const dispute = {
      dispute_id: 'PP-D-4012',
      disputed_transactions: [{ seller_transaction_id: '2GG279541U471931P' }],
      status: 'WAITING_FOR_SELLER_RESPONSE',
      dispute_amount: eur('10.00'),
    };
    const open = { ...reversal, disputeId: 'PP-D-4012', status: 'open' };
    expect(await read('CUSTOMER.DISPUTE.CREATED', dispute)).toEqual([open, { ...reversal, status: 'won' }]);
    const [sold] = await read('PAYMENT.SALE.REVERSED', {
      ...sale(),
      amount: { total: '-9.00', currency: 'EUR' },
    });
    expect(sold).toMatchObject({ paymentId: '44P499886K055384U', amountCents: 900 });
  });

  test.each([
    ['RESOLVED_BUYER_FAVOUR', 'lost'],
    ['ACCEPTED', 'lost'],
    ['RESOLVED_SELLER_FAVOUR', 'won'],
    ['RESOLVED_WITH_PAYOUT', 'won'],
    ['CANCELED_BY_BUYER', 'won'],
    ['DENIED', 'won'],
    ['SOMETHING_NEW', 'open'],
  ])('in a case that ends as %s is %s', async (outcome_code, status) => {
    const { read } = arrive();
    const dispute = {
      dispute_id: 'PP-D-4012',
      disputed_transactions: [{ seller_transaction_id: '2GG279541U471931P' }],
      status: 'RESOLVED',
      dispute_outcome: { outcome_code },
      dispute_amount: eur('10.00'),
    };
    const [fact] = await read('CUSTOMER.DISPUTE.RESOLVED', dispute);
    expect(fact).toMatchObject({ disputeId: 'PP-D-4012', status });
  });

  test('in a case about several payments is told of each', async () => {
    const { read } = arrive();
    const dispute = {
      dispute_id: 'PP-D-4012',
      disputed_transactions: [
        { seller_transaction_id: 'A', gross_amount: eur('10.00') },
        { seller_transaction_id: 'B', gross_amount: eur('5.00') },
      ],
      status: 'OPEN',
      dispute_amount: eur('15.00'),
    };
    const facts = await read('CUSTOMER.DISPUTE.UPDATED', dispute);
    expect(facts.filter((fact) => 'status' in fact && fact.status === 'open')).toMatchObject([
      { disputeId: 'PP-D-4012', paymentId: 'A', amountCents: 1000 },
      { disputeId: 'PP-D-4012/B', paymentId: 'B', amountCents: 500 },
    ]);
  });
});

describe('a subscription', () => {
  const active = {
    kind: 'subscription',
    providerSubscriptionId: 'I-BW452GLLEP1G',
    subscriptionId,
    status: 'active',
    providerPriceId: 'P-5ML4271244454362WXNWU5NQ',
    periodStart: '2026-02-28T10:00:00.000Z',
    periodEnd: '2026-03-28T10:00:00.000Z',
    cancelsAtPeriodEnd: false,
    customerId: 'QYR5Z8XDVJNXQ',
    asOf: '2026-03-01T11:59:00.000Z',
  };

  test('stands as PayPal says, as of when PayPal changed it', async () => {
    const { read, fake } = arrive();
    expect(await read('BILLING.SUBSCRIPTION.ACTIVATED', subscription())).toEqual([active]);
    // Nothing had to be asked for.
    expect(fake.count('/v1/oauth2/token')).toBe(0);
    const unpaid = subscription({
      status: 'APPROVAL_PENDING',
      billing_info: undefined,
      update_time: undefined,
    });
    expect(await read('BILLING.SUBSCRIPTION.CREATED', unpaid)).toEqual([
      {
        ...active,
        status: 'incomplete',
        periodStart: null,
        periodEnd: null,
        asOf: '2026-03-01T12:00:00.000Z',
      },
    ]);
    const suspended = subscription({ status: 'SUSPENDED' });
    expect(await read('BILLING.SUBSCRIPTION.SUSPENDED', suspended)).toMatchObject([{ status: 'past_due' }]);
    const expired = subscription({ status: 'EXPIRED' });
    expect(await read('BILLING.SUBSCRIPTION.EXPIRED', expired)).toMatchObject([{ status: 'ended' }]);
    const failed = await read('BILLING.SUBSCRIPTION.PAYMENT.FAILED', subscription());
    expect(failed).toMatchObject([{ status: 'past_due' }]);
  });

  test('that is cancelled goes on to the end of the period that was paid, and no longer', async () => {
    const { read, clock } = arrive();
    const billing_info = { last_payment: { amount: eur('9.00'), time: '2026-02-28T10:00:00Z' } };
    const cancelled = subscription({ status: 'CANCELLED', billing_info });
    expect(await read('BILLING.SUBSCRIPTION.CANCELLED', cancelled)).toEqual([
      { ...active, cancelsAtPeriodEnd: true },
    ]);
    clock.set('2026-03-28T10:00:00Z');
    expect(await read('BILLING.SUBSCRIPTION.CANCELLED', cancelled)).toEqual([
      { ...active, status: 'ended', cancelsAtPeriodEnd: true, asOf: '2026-03-28T10:00:00.000Z' },
    ]);
    const never = subscription({ status: 'CANCELLED', billing_info: undefined });
    expect(await read('BILLING.SUBSCRIPTION.CANCELLED', never)).toMatchObject([{ status: 'ended' }]);
  });

  test('has a period paid by a sale, which begins with it and is as long as the plan says', async () => {
    const { read, fake } = arrive();
    const paid = {
      kind: 'invoice',
      invoiceId: '44P499886K055384U',
      providerSubscriptionId: 'I-BW452GLLEP1G',
      subscriptionId,
      paymentId: '44P499886K055384U',
      status: 'paid',
      purpose: 'period',
      providerPriceId: 'P-5ML4271244454362WXNWU5NQ',
      amountCents: 900,
      currency: 'EUR',
      periodStart: '2026-01-31T10:00:00.000Z',
      // There is no 31st of February.
      periodEnd: '2026-02-28T10:00:00.000Z',
      invoiceUrl: null,
    };
    expect(await read('PAYMENT.SALE.COMPLETED', sale())).toEqual([paid]);
    expect(await read('PAYMENT.SALE.DENIED', sale({ state: 'denied' }))).toEqual([
      { ...paid, status: 'failed' },
    ]);
    // What a plan says never changes, so it is asked for once.
    expect(fake.count('/v1/billing/plans/P-5ML4271244454362WXNWU5NQ')).toBe(1);
    expect(await read('PAYMENT.SALE.COMPLETED', sale({ billing_agreement_id: undefined }))).toEqual([]);
    expect(await read('PAYMENT.SALE.COMPLETED', sale({ billing_agreement_id: 'B-OLD' }))).toEqual([]);
  });

  test('whose payment cannot be understood now has its delivery sent again', async () => {
    const { read, fake } = arrive();
    fake.on('GET', '/v1/billing/subscriptions/I-BW452GLLEP1G', () => json(refusalOf('RATE_LIMIT'), 429));
    await expect(read('PAYMENT.SALE.COMPLETED', sale())).rejects.toMatchObject({
      code: 'payments.provider_unavailable',
    });
  });
});

test('what does not concern money says nothing', async () => {
  const { read } = arrive();
  expect(await read('CATALOG.PRODUCT.CREATED', { id: 'OBOL-PLANS' })).toEqual([]);
  expect(await read('BILLING.PLAN.CREATED', { id: 'P-1' })).toEqual([]);
});
