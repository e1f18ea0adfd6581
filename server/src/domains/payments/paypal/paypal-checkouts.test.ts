import { describe, expect, test } from 'vitest';
import {
  codeOf,
  json,
  link,
  openAdapter,
  payee,
  refusalOf,
  wanted,
} from '../../../../test/harness/paypal.ts';

const purchaseId = '0199b4e2-7c1d-7b60-8a0e-3f5f8f5b0c11';
const orderId = '5O190127TN364715T';
const orderPath = `/v2/checkout/orders/${orderId}`;
const capturePath = `${orderPath}/capture`;
const eur = (value: string) => ({ currency_code: 'EUR', value });
const order = (status: string, captures?: object[]) => ({
  id: orderId,
  intent: 'CAPTURE',
  status,
  update_time: '2026-03-01T11:59:58Z',
  purchase_units: [
    { custom_id: purchaseId, payee, amount: eur('10.00'), ...(captures ? { payments: { captures } } : {}) },
  ],
});
const captured = order('COMPLETED', [{ id: '2GG279541U471931P', status: 'COMPLETED', amount: eur('10.00') }]);

describe('a checkout', () => {
  test('is an order that names the purchase, under a key of it', async () => {
    const { fake, provider } = openAdapter();
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
    const { fake, provider } = openAdapter();
    fake.on('POST', '/v2/checkout/orders', { ...order('CREATED'), links: [link('approve')] });
    await provider.openCheckout(wanted({ amountCents, currency }));
    expect(fake.asked.at(-1)?.body.purchase_units[0].amount).toEqual({ currency_code: currency, value });
  });

  test('over a part of what PayPal does not divide is refused', async () => {
    const { fake, provider } = openAdapter();
    const odd = wanted({ amountCents: 99_001, currency: 'HUF' });
    expect(await codeOf(provider.openCheckout(odd))).toBe('payments.provider_refused');
    expect(fake.asked).toHaveLength(0);
  });

  test('that is approved is captured when it is asked about; an unknown one is none', async () => {
    const { fake, provider } = openAdapter();
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
    const { fake, provider } = openAdapter();
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
    const { fake, provider } = openAdapter();
    fake.on('GET', orderPath, order('APPROVED'));
    fake.on('POST', capturePath, () => json(refusalOf('UNPROCESSABLE_ENTITY', issue), 422));
    expect(await provider.readCheckout(orderId)).toMatchObject({ status, purchaseId });
  });

  test('whose capture PayPal refuses for other reasons is left to a person', async () => {
    const { fake, provider } = openAdapter();
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
    const { fake, provider } = openAdapter();
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
    const { fake, provider } = openAdapter();
    fake.on('POST', path, () => json(refusalOf('UNPROCESSABLE_ENTITY', 'REFUND_AMOUNT_EXCEEDED'), 422));
    expect(await codeOf(provider.refund(request))).toBe('payments.provider_refused');
  });
});
