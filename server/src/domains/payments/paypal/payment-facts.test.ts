import { describe, expect, test } from 'vitest';
import { json } from '../../../../test/harness/paypal.ts';
import { capture, order, purchaseId, readEvents } from '../../../../test/harness/paypal-samples.ts';

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
    const { read } = readEvents();
    expect(await read('PAYMENT.CAPTURE.COMPLETED', capture())).toEqual([paid]);
    const pending = capture({ status: 'PENDING' });
    expect(await read('PAYMENT.CAPTURE.PENDING', pending)).toEqual([{ ...paid, status: 'processing' }]);
    const declined = capture({ status: 'DECLINED' });
    expect(await read('PAYMENT.CAPTURE.DENIED', declined)).toEqual([{ ...paid, status: 'failed' }]);
    const refunded = capture({ status: 'PARTIALLY_REFUNDED' });
    expect(await read('PAYMENT.CAPTURE.COMPLETED', refunded)).toEqual([paid]);
  });

  test('knows its order by its link, else by itself, and somebody else by no id of ours', async () => {
    const { read } = readEvents();
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
    const { read } = readEvents();
    const [fact] = await read('PAYMENT.CAPTURE.COMPLETED', capture({ amount: { currency_code, value } }));
    expect(fact).toMatchObject({ amountCents, currency: currency_code });
  });

  test.each(['1e3', '10,00', '0x10', '10.001', '500.5 ', '', null, 10])(
    'of %j is no amount, so the delivery is refused',
    async (value) => {
      const { read } = readEvents();
      const odd = capture({ amount: { currency_code: 'EUR', value } });
      await expect(read('PAYMENT.CAPTURE.COMPLETED', odd)).rejects.toMatchObject({ code: 'request.invalid' });
    },
  );

  test('is captured when the customer has approved it', async () => {
    const { read, fake } = readEvents();
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
    const { read, fake } = readEvents();
    fake.on('GET', '/v2/checkout/orders/5O190127TN364715T', () => new Response('', { status: 500 }));
    const onItsWay = { ...paid, paymentId: null, status: 'processing', customerId: 'QYR5Z8XDVJNXQ' };
    expect(await read('CHECKOUT.ORDER.APPROVED', order())).toEqual([onItsWay]);
    const foreign = order({}, { custom_id: 'order 17' });
    fake.on('GET', '/v2/checkout/orders/5O190127TN364715T', foreign);
    expect(await read('CHECKOUT.ORDER.APPROVED', foreign)).toEqual([{ ...onItsWay, purchaseId: null }]);
    expect(fake.count('/v2/checkout/orders/5O190127TN364715T/capture')).toBe(0);
  });

  test('is told by its order, too', async () => {
    const { read } = readEvents();
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

test('what does not concern money says nothing', async () => {
  const { read } = readEvents();
  expect(await read('CATALOG.PRODUCT.CREATED', { id: 'OBOL-PLANS' })).toEqual([]);
  expect(await read('BILLING.PLAN.CREATED', { id: 'P-1' })).toEqual([]);
});
