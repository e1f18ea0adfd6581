import { describe, expect, test } from 'vitest';
import { createTestClock } from '../../../../test/harness/index.ts';
import { createFakePaypal, createTestPaypal, json, refusalOf } from '../../../../test/harness/paypal.ts';
import type { CheckoutOrder } from '../provider.ts';

const purchaseId = '0199b4e2-7c1d-7b60-8a0e-3f5f8f5b0c11';
const orderId = '5O190127TN364715T';
const orderPath = `/v2/checkout/orders/${orderId}`;
const capturePath = `${orderPath}/capture`;
const subscriptionPath = '/v1/billing/subscriptions/I-BW452GLLEP1G';
const eur = (value: string) => ({ currency_code: 'EUR', value });

const arrive = () => {
  const clock = createTestClock();
  const fake = createFakePaypal();
  return { clock, fake, provider: createTestPaypal(fake, clock) };
};
const wanted = (more: Partial<CheckoutOrder> = {}): CheckoutOrder => ({
  purchaseId,
  userId: '0199b4e2-7c1d-7b60-8a0e-3f5f8f5b0c44',
  email: 'dana@example.com',
  customerId: null,
  title: '1,000 credits',
  amountCents: 1000,
  currency: 'EUR',
  taxBehavior: 'inclusive',
  savesCard: false,
  successUrl: 'https://obol.example.com/credits?bought=1',
  cancelUrl: 'https://obol.example.com/credits',
  expiresAt: new Date('2026-03-01T12:30:00Z'),
  ...more,
});
const link = (rel: string) => ({ rel, href: `https://www.sandbox.paypal.com/${rel}`, method: 'GET' });
const order = (status: string, captures?: object[]) => ({
  id: orderId,
  intent: 'CAPTURE',
  status,
  update_time: '2026-03-01T11:59:58Z',
  purchase_units: [
    { custom_id: purchaseId, amount: eur('10.00'), ...(captures ? { payments: { captures } } : {}) },
  ],
});
const captured = order('COMPLETED', [{ id: '2GG279541U471931P', status: 'COMPLETED', amount: eur('10.00') }]);
const codeOf = (work: Promise<unknown>) =>
  work.then(
    () => 'done',
    (error: { code?: string }) => error.code,
  );

describe('the access token', () => {
  test('is asked for once for all calls, by HTTP Basic, and anew before it ends', async () => {
    const { fake, provider, clock } = arrive();
    fake.on('GET', orderPath, order('CREATED'));
    await Promise.all(Array.from({ length: 5 }, () => provider.readCheckout(orderId)));
    expect(fake.count('/v1/oauth2/token')).toBe(1);
    const [first] = fake.asked;
    expect(first?.headers.get('authorization')).toBe(
      `Basic ${Buffer.from('client:a secret of the app').toString('base64')}`,
    );
    expect(String(first?.body)).toBe('grant_type=client_credentials');
    expect(fake.asked.at(-1)?.headers.get('authorization')).toBe('Bearer A21AA-token');
    clock.advance({ hours: 8 });
    await provider.readCheckout(orderId);
    expect(fake.count('/v1/oauth2/token')).toBe(1);
    clock.advance({ hours: 1 });
    await provider.readCheckout(orderId);
    expect(fake.count('/v1/oauth2/token')).toBe(2);
  });

  test('that PayPal has taken back is replaced, once', async () => {
    const { fake, provider } = arrive();
    let left = 1;
    fake.on('GET', orderPath, () => (left-- > 0 ? json({}, 401) : json(order('CREATED'))));
    expect(await provider.readCheckout(orderId)).toMatchObject({ status: 'open' });
    expect(fake.count('/v1/oauth2/token')).toBe(2);
    fake.on('GET', orderPath, () => json(refusalOf('AUTHENTICATION_FAILURE'), 401));
    expect(await codeOf(provider.readCheckout(orderId))).toBe('payments.provider_refused');
    expect(fake.count(orderPath)).toBe(4);
  });

  test('that is refused says so without the secret', async () => {
    const { fake, provider } = arrive();
    fake.on('POST', '/v1/oauth2/token', () =>
      json({ error: 'invalid_client' }, 401, { 'paypal-debug-id': 'f00' }),
    );
    const error: any = await provider.readCheckout(orderId).catch((thrown: unknown) => thrown);
    expect(error.code).toBe('payments.provider_refused');
    expect(error.cause.message).toContain('401');
    expect(error.cause.message).toContain('f00');
    expect(JSON.stringify([error, error.cause.message, error.cause.stack])).not.toContain(
      'secret of the app',
    );
  });
});

describe('a call', () => {
  test.each([
    ['fails', () => Promise.reject(new TypeError('fetch failed'))],
    ['ends in 500', () => json({}, 500)],
    ['is one too many', () => json(refusalOf('RATE_LIMIT_REACHED'), 429)],
    ['is redirected', () => new Response('', { status: 302, headers: { location: 'https://evil.example' } })],
    ['is answered with a page', () => new Response('<html></html>')],
    ['is answered with something else', () => json({ id: 7 })],
    [
      'is under way already',
      () => json(refusalOf('UNPROCESSABLE_ENTITY', 'PREVIOUS_REQUEST_IN_PROGRESS'), 422),
    ],
  ])('that %s says nothing about what came of it', async (_what, reply) => {
    const { fake, provider } = arrive();
    fake.on('POST', '/v2/checkout/orders', reply);
    expect(await codeOf(provider.openCheckout(wanted()))).toBe('payments.provider_unavailable');
  });

  test('that PayPal refuses is refused', async () => {
    const { fake, provider } = arrive();
    fake.on('POST', '/v2/checkout/orders', () =>
      json(refusalOf('UNPROCESSABLE_ENTITY', 'CURRENCY_NOT_SUPPORTED'), 422),
    );
    const error: any = await provider.openCheckout(wanted()).catch((thrown: unknown) => thrown);
    expect(error.code).toBe('payments.provider_refused');
    expect(error.cause.message).toContain('CURRENCY_NOT_SUPPORTED');
  });
});

describe('a checkout', () => {
  test('is an order that names the purchase, under a key of it', async () => {
    const { fake, provider } = arrive();
    const opened = { ...order('PAYER_ACTION_REQUIRED'), links: [link('self'), link('payer-action')] };
    fake.on('POST', '/v2/checkout/orders', () => json(opened, 201));
    expect(await provider.openCheckout(wanted())).toEqual({
      checkoutId: orderId,
      url: 'https://www.sandbox.paypal.com/payer-action',
      expiresAt: new Date('2026-03-01T12:30:00Z'),
    });
    const call = fake.asked.at(-1);
    expect(call?.headers.get('paypal-request-id')).toBe(`order-${purchaseId}`);
    expect(call?.body).toMatchObject({
      intent: 'CAPTURE',
      purchase_units: [{ custom_id: purchaseId, invoice_id: purchaseId, amount: eur('10.00') }],
      payment_source: {
        paypal: { experience_context: { return_url: 'https://obol.example.com/credits?bought=1' } },
      },
    });
    // PayPal waits no longer than three hours.
    const late = await provider.openCheckout(wanted({ expiresAt: new Date('2026-03-02T12:00:00Z') }));
    expect(late.expiresAt).toEqual(new Date('2026-03-01T15:00:00Z'));
  });

  test.each([
    [5, 'EUR', '0.05'],
    [123_456, 'USD', '1234.56'],
    [500, 'JPY', '500'],
    [99_000, 'HUF', '990'],
  ])('over %i minor units of %s asks for %s', async (amountCents, currency, value) => {
    const { fake, provider } = arrive();
    fake.on('POST', '/v2/checkout/orders', { ...order('CREATED'), links: [link('approve')] });
    await provider.openCheckout(wanted({ amountCents, currency }));
    expect(fake.asked.at(-1)?.body.purchase_units[0].amount).toEqual({ currency_code: currency, value });
  });

  test('over a part of what PayPal does not divide is refused', async () => {
    const { fake, provider } = arrive();
    const odd = wanted({ amountCents: 99_001, currency: 'HUF' });
    expect(await codeOf(provider.openCheckout(odd))).toBe('payments.provider_refused');
    expect(fake.asked).toHaveLength(0);
  });

  test('that is approved is captured when it is asked about; an unknown one is none', async () => {
    const { fake, provider } = arrive();
    expect(await provider.readCheckout(orderId)).toBeNull();
    fake.on('GET', orderPath, order('PAYER_ACTION_REQUIRED'));
    expect(await provider.readCheckout(orderId)).toMatchObject({
      status: 'open',
      purchaseId,
      amountCents: 1000,
    });
    fake.on('GET', orderPath, order('APPROVED'));
    fake.on('POST', capturePath, () => json(captured, 201));
    expect(await provider.readCheckout(orderId)).toMatchObject({
      status: 'paid',
      paymentId: '2GG279541U471931P',
    });
    await provider.expireCheckout(orderId);
    expect(fake.count(capturePath)).toBe(1);
  });

  test('that was captured meanwhile is read again', async () => {
    const { fake, provider } = arrive();
    let isCaptured = false;
    fake.on('GET', orderPath, () => json(isCaptured ? captured : order('APPROVED')));
    fake.on('POST', capturePath, () => {
      isCaptured = true;
      return json(refusalOf('UNPROCESSABLE_ENTITY', 'ORDER_ALREADY_CAPTURED'), 422);
    });
    expect(await provider.readCheckout(orderId)).toMatchObject({ status: 'paid' });
  });

  test.each([
    ['INSTRUMENT_DECLINED', 'open'],
    ['PAYER_ACTION_REQUIRED', 'open'],
    ['DUPLICATE_INVOICE_ID', 'failed'],
    ['TRANSACTION_REFUSED', 'failed'],
  ])('whose capture ends in %s is %s', async (issue, status) => {
    const { fake, provider } = arrive();
    fake.on('GET', orderPath, order('APPROVED'));
    fake.on('POST', capturePath, () => json(refusalOf('UNPROCESSABLE_ENTITY', issue), 422));
    expect(await provider.readCheckout(orderId)).toMatchObject({ status, purchaseId });
  });

  test('whose capture PayPal refuses for other reasons is left to a person', async () => {
    const { fake, provider } = arrive();
    fake.on('GET', orderPath, order('APPROVED'));
    fake.on('POST', capturePath, () =>
      json(refusalOf('UNPROCESSABLE_ENTITY', 'PAYEE_ACCOUNT_RESTRICTED'), 422),
    );
    expect(await codeOf(provider.readCheckout(orderId))).toBe('payments.provider_refused');
  });
});

describe('a refund', () => {
  const request = {
    refundRequestId: '0199b4e2-7c1d-7b60-8a0e-3f5f8f5b0c33',
    paymentId: '2GG279541U471931P',
    amountCents: 400,
    currency: 'EUR',
    reason: 'Bought twice',
  };
  const path = '/v2/payments/captures/2GG279541U471931P/refund';

  test('is asked for under the key of its request, which it bears', async () => {
    const { fake, provider } = arrive();
    const up = { rel: 'up', href: 'https://api.sandbox.paypal.com/v2/payments/captures/2GG279541U471931P' };
    fake.on('POST', path, () =>
      json({ id: '1JU', status: 'PENDING', amount: eur('4.00'), links: [up] }, 201),
    );
    expect(await provider.refund(request)).toEqual({
      kind: 'refund',
      refundId: '1JU',
      paymentId: '2GG279541U471931P',
      refundRequestId: request.refundRequestId,
      status: 'pending',
      amountCents: 400,
      currency: 'EUR',
    });
    const call = fake.asked.at(-1);
    expect(call?.headers.get('paypal-request-id')).toBe(`refund-${request.refundRequestId}`);
    expect(call?.body).toEqual({
      amount: eur('4.00'),
      custom_id: `refund:${request.refundRequestId}`,
      note_to_payer: 'Bought twice',
    });
  });

  test('of more than was paid is refused', async () => {
    const { fake, provider } = arrive();
    fake.on('POST', path, () => json(refusalOf('UNPROCESSABLE_ENTITY', 'REFUND_AMOUNT_EXCEEDED'), 422));
    expect(await codeOf(provider.refund(request))).toBe('payments.provider_refused');
  });
});

describe('a subscription', () => {
  const plan = {
    planId: 'pro',
    version: 2,
    name: 'Pro',
    priceCents: 900,
    currency: 'EUR',
    interval: 'year' as const,
    taxBehavior: 'inclusive' as const,
  };
  const change = {
    providerSubscriptionId: 'I-BW452GLLEP1G',
    providerPriceId: 'P-2',
    changeId: '0199b4e2-7c1d-7b60-8a0e-3f5f8f5b0c55',
    isImmediate: false,
    returnUrl: 'https://obol.example.com/credits',
  };
  const standing = (status: string) => ({
    id: 'I-BW452GLLEP1G',
    plan_id: 'P-1',
    custom_id: '0199b4e2-7c1d-7b60-8a0e-3f5f8f5b0c22',
    status,
    billing_info: { last_payment: { time: '2026-02-15T10:00:00Z', amount: eur('9.00') } },
  });
  const monthly = {
    billing_cycles: [{ tenure_type: 'REGULAR', frequency: { interval_unit: 'MONTH', interval_count: 1 } }],
  };

  test('has a billing plan of the one product of ours, which is made when it is missing', async () => {
    const { fake, provider } = arrive();
    fake.on('POST', '/v1/catalogs/products', () => json({ id: 'OBOL-PLANS' }, 201));
    fake.on('POST', '/v1/billing/plans', () => json({ id: 'P-1' }, 201));
    expect(await provider.ensurePrice(plan)).toBe('P-1');
    const call = fake.asked.at(-1);
    expect(call?.headers.get('paypal-request-id')).toBe('plan-pro-2');
    expect(call?.body).toMatchObject({
      product_id: 'OBOL-PLANS',
      billing_cycles: [
        {
          frequency: { interval_unit: 'YEAR' },
          total_cycles: 0,
          pricing_scheme: { fixed_price: eur('9.00') },
        },
      ],
    });
    fake.on('POST', '/v1/catalogs/products', () =>
      json(refusalOf('UNPROCESSABLE_ENTITY', 'DUPLICATE_RESOURCE_IDENTIFIER'), 422),
    );
    expect(await provider.ensurePrice(plan)).toBe('P-1');
    fake.on('GET', '/v1/catalogs/products/OBOL-PLANS', { id: 'OBOL-PLANS' });
    expect(await provider.ensurePrice(plan)).toBe('P-1');
    expect(fake.count('/v1/catalogs/products')).toBe(2);
  });

  test('is opened under a key of ours, and begins when it is approved', async () => {
    const { fake, provider } = arrive();
    const opened = { id: 'I-BW452GLLEP1G', status: 'APPROVAL_PENDING', links: [link('approve')] };
    fake.on('POST', '/v1/billing/subscriptions', () => json(opened, 201));
    const { purchaseId: subscriptionId, ...rest } = wanted();
    const answer = await provider.openSubscription({ ...rest, subscriptionId, providerPriceId: 'P-1' });
    expect(answer).toMatchObject({
      checkoutId: 'I-BW452GLLEP1G',
      url: 'https://www.sandbox.paypal.com/approve',
    });
    expect(fake.asked.at(-1)?.body).toMatchObject({ plan_id: 'P-1', custom_id: subscriptionId });
    expect(fake.asked.at(-1)?.headers.get('paypal-request-id')).toBe(`subscription-${subscriptionId}`);
  });

  test('changes its plan once the customer has agreed at PayPal, and never within a period', async () => {
    const { fake, provider } = arrive();
    fake.on('POST', `${subscriptionPath}/revise`, { plan_id: 'P-2', links: [link('approve')] });
    expect(await provider.changeSubscription(change)).toEqual({
      fact: null,
      approvalUrl: 'https://www.sandbox.paypal.com/approve',
    });
    expect(fake.asked.at(-1)?.headers.get('paypal-request-id')).toBe(`change-${change.changeId}`);
    const atOnce = provider.changeSubscription({ ...change, isImmediate: true });
    expect(await codeOf(atOnce)).toBe('payments.not_supported');
    fake.on('POST', `${subscriptionPath}/revise`, { plan_id: 'P-2', links: [] });
    fake.on('GET', subscriptionPath, { ...standing('ACTIVE'), plan_id: 'P-2' });
    fake.on('GET', '/v1/billing/plans/P-2', monthly);
    expect(await provider.changeSubscription(change)).toMatchObject({
      fact: { status: 'active', providerPriceId: 'P-2' },
      approvalUrl: null,
    });
  });

  test('ends with its period when it is cancelled, which PayPal does not take back', async () => {
    const { fake, provider } = arrive();
    const { providerSubscriptionId, changeId } = change;
    fake.on('POST', `${subscriptionPath}/cancel`, () => new Response(null, { status: 204 }));
    fake.on('GET', subscriptionPath, standing('CANCELLED'));
    fake.on('GET', '/v1/billing/plans/P-1', monthly);
    const ending = { status: 'active', cancelsAtPeriodEnd: true, periodEnd: '2026-03-15T10:00:00.000Z' };
    const cancel = () => provider.cancelSubscription({ providerSubscriptionId, changeId, cancels: true });
    expect(await cancel()).toMatchObject(ending);
    fake.on('POST', `${subscriptionPath}/cancel`, () =>
      json(refusalOf('UNPROCESSABLE_ENTITY', 'SUBSCRIPTION_STATUS_INVALID'), 422),
    );
    expect(await cancel()).toMatchObject(ending);
    fake.on('GET', subscriptionPath, standing('APPROVAL_PENDING'));
    expect(await codeOf(cancel())).toBe('payments.provider_refused');
    const back = provider.cancelSubscription({ providerSubscriptionId, changeId, cancels: false });
    expect(await codeOf(back)).toBe('payments.not_supported');
  });

  test('that PayPal does not know is none, and PayPal has neither portal nor saved cards', async () => {
    const { provider } = arrive();
    expect(await provider.readSubscription('I-UNKNOWN')).toBeNull();
    expect(await provider.openPortal({ customerId: 'Q', returnUrl: 'https://obol.example.com' })).toBeNull();
    const charge = { ...wanted(), customerId: 'Q' };
    expect(await provider.chargeSavedCard(charge)).toBeNull();
  });
});

describe('what PayPal lists', () => {
  const transaction = (id: string, code: string, more: object = {}) => ({
    transaction_info: {
      transaction_id: id,
      transaction_event_code: code,
      transaction_status: 'S',
      transaction_initiation_date: '2026-02-20T10:00:00+0000',
      transaction_amount: eur('10.00'),
      ...more,
    },
  });
  const searchPath = '/v1/reporting/transactions';
  const collect = async (provider: ReturnType<typeof createTestPaypal>, since: string) => {
    const pages = [];
    for await (const page of provider.listFacts(new Date(since))) pages.push(page);
    return pages;
  };

  test('are payments, refunds, reversals and cases, as facts', async () => {
    const { fake, provider } = arrive();
    const refunded = {
      paypal_reference_id: 'C1',
      paypal_reference_id_type: 'TXN',
      transaction_amount: eur('-4.00'),
    };
    fake.on('GET', searchPath, {
      total_pages: 1,
      transaction_details: [
        transaction('R1', 'T1107', {
          ...refunded,
          transaction_initiation_date: '2026-02-21T10:00:00+0000',
          custom_field: 'refund:0199b4e2-7c1d-7b60-8a0e-3f5f8f5b0c33',
        }),
        transaction('C1', 'T0006'),
        transaction('S1', 'T0002', {
          paypal_reference_id: 'I-BW452GLLEP1G',
          paypal_reference_id_type: 'SUB',
        }),
        transaction('V1', 'T1201', refunded),
        transaction('F1', 'T0106', { transaction_amount: eur('-0.40') }),
        transaction('X1', 'T0006', { transaction_amount: eur('-7.00') }),
        transaction('U1', 'T0006'),
      ],
    });
    fake.on('GET', '/v2/payments/captures/C1', {
      id: 'C1',
      status: 'PARTIALLY_REFUNDED',
      amount: eur('10.00'),
      custom_id: purchaseId,
      supplementary_data: { related_ids: { order_id: orderId } },
    });
    fake.on('GET', subscriptionPath, { id: 'I-BW452GLLEP1G', plan_id: 'P-1' });
    fake.on('GET', '/v1/billing/plans/P-1', {
      billing_cycles: [{ tenure_type: 'REGULAR', frequency: { interval_unit: 'YEAR', interval_count: 1 } }],
    });
    fake.on('GET', '/v1/customer/disputes', { items: [{ dispute_id: 'PP-D-1' }] });
    fake.on('GET', '/v1/customer/disputes/PP-D-1', {
      dispute_id: 'PP-D-1',
      status: 'OPEN',
      dispute_amount: eur('10.00'),
      disputed_transactions: [{ seller_transaction_id: 'C1' }],
    });
    const [facts, cases] = await collect(provider, '2026-02-15T00:00:00Z');
    expect(facts).toMatchObject([
      { kind: 'checkout', checkoutId: orderId, purchaseId, paymentId: 'C1', status: 'paid' },
      { kind: 'invoice', invoiceId: 'S1', periodEnd: '2027-02-20T10:00:00.000Z', amountCents: 1000 },
      { kind: 'dispute', disputeId: 'reversal:C1', status: 'lost', amountCents: 400 },
      {
        kind: 'refund',
        refundId: 'R1',
        paymentId: 'C1',
        refundRequestId: '0199b4e2-7c1d-7b60-8a0e-3f5f8f5b0c33',
        amountCents: 400,
      },
    ]);
    expect(facts).toHaveLength(4);
    expect(cases).toMatchObject([
      { disputeId: 'PP-D-1', status: 'open' },
      { disputeId: 'reversal:C1', status: 'won' },
    ]);
  });

  test('are read page by page, month by month, and in halves where there is too much', async () => {
    const { fake, provider } = arrive();
    const windows: string[] = [];
    fake.on('GET', searchPath, ({ url }: { url: string }) => {
      const { searchParams } = new URL(url);
      const [from, to, page] = ['start_date', 'end_date', 'page'].map((name) => searchParams.get(name));
      windows.push(`${from?.slice(0, 10)} ${to?.slice(0, 10)} ${page}`);
      if (from?.startsWith('2026-02-01') && to?.startsWith('2026-03-01'))
        return json(refusalOf('RESULTSET_TOO_LARGE'), 400);
      return json({ total_pages: from?.startsWith('2026-01-01') ? 2 : 1, transaction_details: [] });
    });
    let left = 1;
    fake.on('GET', '/v1/customer/disputes', () =>
      json(
        left-- > 0
          ? {
              items: [],
              links: [
                {
                  rel: 'next',
                  href: 'https://api.sandbox.paypal.com/v1/customer/disputes?next_page_token=2',
                },
              ],
            }
          : { items: [] },
      ),
    );
    await collect(provider, '2026-01-01T12:00:00Z');
    expect(windows).toEqual([
      '2026-01-01 2026-02-01 1',
      '2026-01-01 2026-02-01 2',
      '2026-02-01 2026-03-01 1',
      '2026-02-01 2026-02-15 1',
      '2026-02-15 2026-03-01 1',
    ]);
    expect(fake.asked.at(-1)?.url).toContain('next_page_token=2');
  });

  test('that PayPal does not show us is refused', async () => {
    const { fake, provider } = arrive();
    fake.on('GET', searchPath, () => json(refusalOf('NOT_AUTHORIZED'), 403));
    expect(await codeOf(collect(provider, '2026-02-15T00:00:00Z'))).toBe('payments.provider_refused');
  });
});
