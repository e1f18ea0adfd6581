import { describe, expect, test } from 'vitest';
import { approvalUrlOf, paypalOrder, startBench, type Bench } from './harness.ts';

const orders = '/v2/checkout/orders';
const subscriptions = '/v1/billing/subscriptions';
const typesOf = (bench: Bench) => bench.received.splice(0).map(({ event }) => event.event_type);
const issueOf = ({ body }: { body: any }) => body.details[0].issue;

async function approve(
  bench: Bench,
  choice: Parameters<Bench['choose']>[1] = 'pay',
  order: object = paypalOrder,
) {
  const { body } = await bench.paypal('POST', orders, order);
  const location = await bench.choose(approvalUrlOf(body), choice);
  return { id: body.id as string, location };
}

async function buy(bench: Bench, choice: Parameters<Bench['choose']>[1] = 'pay') {
  const { id } = await approve(bench, choice);
  const { body } = await bench.paypal('POST', `${orders}/${id}/capture`, {});
  return { order: id, capture: body.purchase_units[0].payments.captures[0] };
}

async function subscribe(bench: Bench) {
  const { paypal } = bench;
  await paypal('POST', '/v1/catalogs/products', { id: 'PLANS', name: 'Credits', type: 'DIGITAL' });
  const plan = async (value: string) => {
    const pricing = { fixed_price: { currency_code: 'EUR', value } };
    const cycle = { tenure_type: 'REGULAR', sequence: 1, total_cycles: 0, pricing_scheme: pricing };
    const { body } = await paypal('POST', '/v1/billing/plans', {
      product_id: 'PLANS',
      name: `Plan for ${value}`,
      billing_cycles: [{ ...cycle, frequency: { interval_unit: 'MONTH', interval_count: 1 } }],
      payment_preferences: { payment_failure_threshold: 2 },
    });
    return body.id as string;
  };
  const [small, large] = [await plan('9.00'), await plan('19.00')];
  const { body } = await paypal('POST', subscriptions, {
    plan_id: small,
    custom_id: 'one',
    application_context: { return_url: 'http://localhost:3001/thanks', cancel_url: 'http://localhost:3001' },
  });
  await bench.choose(approvalUrlOf(body), 'pay');
  return { id: body.id as string, small, large };
}

const paymentsOf = async ({ paypal }: Bench, id: string) =>
  (await paypal('GET', `${subscriptions}/${id}/transactions`)).body.transactions;

describe('an order', () => {
  test('is approved on its page, captured once, and says so', async () => {
    const bench = await startBench();
    const { id, location } = await approve(bench);
    expect(location).toMatch(new RegExp(`^http://localhost:3001/thanks\\?token=${id}&PayerID=\\w+$`));
    const path = `${orders}/${id}/capture`;
    const captured = await bench.paypal('POST', path, {});
    expect(captured.status).toBe(201);
    expect(captured.body).toMatchObject({
      status: 'COMPLETED',
      purchase_units: [
        { custom_id: 'one', payments: { captures: [{ status: 'COMPLETED', custom_id: 'one' }] } },
      ],
    });
    expect(issueOf(await bench.paypal('POST', path, {}))).toBe('ORDER_ALREADY_CAPTURED');
    await bench.deliver();
    expect(typesOf(bench)).toEqual(['CHECKOUT.ORDER.APPROVED', 'PAYMENT.CAPTURE.COMPLETED']);
  });

  test('is captured only when it has been approved, and not when the card is declined', async () => {
    const bench = await startBench();
    const { body } = await bench.paypal('POST', orders, paypalOrder);
    expect(issueOf(await bench.paypal('POST', `${orders}/${body.id}/capture`, {}))).toBe(
      'ORDER_NOT_APPROVED',
    );
    await bench.choose(approvalUrlOf(body), 'decline');
    const declined = await bench.paypal('POST', `${orders}/${body.id}/capture`, {});
    expect([declined.status, issueOf(declined)]).toEqual([422, 'INSTRUMENT_DECLINED']);
    await bench.choose(approvalUrlOf(body), 'pay');
    expect((await bench.paypal('POST', `${orders}/${body.id}/capture`, {})).status).toBe(201);
  });

  test.each([
    ['pay-later', 'COMPLETED', 'PAYMENT.CAPTURE.COMPLETED', 'S'],
    ['fail-later', 'DECLINED', 'PAYMENT.CAPTURE.DENIED', 'D'],
  ] as const)(
    'that goes through the banks (%s) is done when they are',
    async (choice, status, type, code) => {
      const bench = await startBench();
      const { capture } = await buy(bench, choice);
      expect(capture.status).toBe('PENDING');
      bench.act('advance', { minutes: 2 });
      expect((await bench.paypal('GET', `/v2/payments/captures/${capture.id}`)).body.status).toBe(status);
      await bench.deliver();
      expect(typesOf(bench).slice(1)).toEqual(['PAYMENT.CAPTURE.PENDING', type]);
      const span = 'start_date=2026-03-01T00:00:00Z&end_date=2026-03-02T00:00:00Z';
      const report = await bench.paypal('GET', `/v1/reporting/transactions?${span}`);
      expect(report.body.transaction_details[0].transaction_info.transaction_status).toBe(code);
    },
  );

  test('is paid once for an invoice, and forgotten when nobody pays it', async () => {
    const bench = await startBench();
    await buy(bench);
    const again = await approve(bench);
    expect(issueOf(await bench.paypal('POST', `${orders}/${again.id}/capture`, {}))).toBe(
      'DUPLICATE_INVOICE_ID',
    );
    bench.wait(3 * 3600 + 1);
    expect((await bench.paypal('GET', `${orders}/${again.id}`)).status).toBe(404);
  });

  test('is made once for a request id, which is refused for another body', async () => {
    const bench = await startBench();
    const headers = { 'paypal-request-id': 'one' };
    const first = await bench.paypal('POST', orders, paypalOrder, headers);
    const again = await bench.paypal('POST', orders, paypalOrder, headers);
    expect([first.status, again.status, again.body.id]).toEqual([201, 200, first.body.id]);
    const other = await bench.paypal('POST', orders, { ...paypalOrder, payment_source: undefined }, headers);
    expect([other.status, issueOf(other)]).toEqual([422, 'DUPLICATE_REQUEST_ID']);
  });

  test.each([
    ['no units', { ...paypalOrder, purchase_units: [] }, 400, 'MISSING_REQUIRED_PARAMETER'],
    ['no intent', { ...paypalOrder, intent: undefined }, 400, 'MISSING_REQUIRED_PARAMETER'],
    ['another intent', { ...paypalOrder, intent: 'GUESS' }, 400, 'INVALID_PARAMETER_SYNTAX'],
    [
      'half a cent',
      { ...paypalOrder, purchase_units: [{ amount: { currency_code: 'EUR', value: '5.005' } }] },
      422,
      'DECIMAL_PRECISION',
    ],
    [
      'half a yen',
      { ...paypalOrder, purchase_units: [{ amount: { currency_code: 'JPY', value: '5.50' } }] },
      422,
      'DECIMAL_PRECISION',
    ],
    [
      'nothing to pay',
      { ...paypalOrder, purchase_units: [{ amount: { currency_code: 'EUR', value: '0.00' } }] },
      422,
      'CANNOT_BE_ZERO_OR_NEGATIVE',
    ],
    ['a list', [], 400, 'INVALID_PARAMETER_SYNTAX'],
  ])('with %s is refused in PayPal’s form', async (_, order, status, issue) => {
    const { paypal } = await startBench();
    const refused = await paypal('POST', orders, order);
    expect([refused.status, issueOf(refused)]).toEqual([status, issue]);
    expect(refused.body).toMatchObject({ name: expect.any(String), debug_id: expect.any(String) });
  });

  test('is shown to nobody without a token', async () => {
    const { url } = await startBench();
    const headers = { authorization: 'Bearer somebody' };
    expect((await fetch(`${url}${orders}/one`, { headers })).status).toBe(401);
    const body = new URLSearchParams({ grant_type: 'client_credentials' });
    expect((await fetch(`${url}/v1/oauth2/token`, { method: 'POST', body })).status).toBe(401);
  });
});

describe('money on its way back', () => {
  test('is never more than was paid', async () => {
    const bench = await startBench();
    const { capture } = await buy(bench);
    const path = `/v2/payments/captures/${capture.id}/refund`;
    const refund = (value?: string) =>
      bench.paypal(
        'POST',
        path,
        value === undefined ? {} : { amount: { currency_code: 'EUR', value }, custom_id: 'r' },
      );
    const part = await refund('2.00');
    expect(part).toMatchObject({ status: 201, body: { status: 'COMPLETED', custom_id: 'r' } });
    expect(issueOf(await refund('3.01'))).toBe('REFUND_AMOUNT_EXCEEDED');
    expect((await bench.paypal('GET', `/v2/payments/captures/${capture.id}`)).body.status).toBe(
      'PARTIALLY_REFUNDED',
    );
    expect((await refund()).body.amount.value).toBe('3.00');
    expect(issueOf(await refund())).toBe('CAPTURE_FULLY_REFUNDED');
    bench.act('end-refund', { refund: part.body.id, outcome: 'failed' });
    expect((await refund('2.00')).status).toBe(201);
  });

  test.each(['won', 'lost'] as const)('goes with a dispute that is %s', async (outcome) => {
    const bench = await startBench();
    const { capture } = await buy(bench);
    await bench.deliver();
    bench.received.length = 0;
    const dispute = bench.act('dispute', { payment: capture.id })?.id ?? '';
    bench.act('close-dispute', { dispute, outcome });
    await bench.deliver();
    const reversal = outcome === 'lost' ? ['PAYMENT.CAPTURE.REVERSED'] : [];
    expect(typesOf(bench)).toEqual(['CUSTOMER.DISPUTE.CREATED', 'CUSTOMER.DISPUTE.RESOLVED', ...reversal]);
    const { items } = (await bench.paypal('GET', '/v1/customer/disputes')).body;
    expect(items).toMatchObject([{ dispute_id: dispute, status: 'RESOLVED' }]);
  });
});

describe('a subscription', () => {
  test('is billed once for each month of a year that goes by at once', async () => {
    const bench = await startBench();
    const { id } = await subscribe(bench);
    bench.act('advance', { days: 365 });
    const payments = await paymentsOf(bench, id);
    expect(payments).toHaveLength(13);
    expect(payments.at(-1).time).toBe('2026-03-01T12:00:00Z');
    expect(payments[0].time).toBe('2027-03-01T12:00:00Z');
    await bench.deliver();
    const types = typesOf(bench);
    expect(types.slice(0, 3)).toEqual([
      'BILLING.SUBSCRIPTION.CREATED',
      'BILLING.SUBSCRIPTION.ACTIVATED',
      'PAYMENT.SALE.COMPLETED',
    ]);
    expect(types.filter((type) => type === 'PAYMENT.SALE.COMPLETED')).toHaveLength(13);
  });

  test('is suspended when its card is declined too often, and can go on', async () => {
    const bench = await startBench();
    const { id } = await subscribe(bench);
    bench.act('decline-renewals', { subscription: id, declines: 'yes' });
    bench.act('advance', { days: 40 });
    const path = `${subscriptions}/${id}`;
    expect((await bench.paypal('GET', path)).body).toMatchObject({
      status: 'SUSPENDED',
      billing_info: { failed_payments_count: 2 },
    });
    bench.act('decline-renewals', { subscription: id, declines: 'no' });
    expect((await bench.paypal('POST', `${path}/activate`, { reason: 'Paid' })).status).toBe(204);
    bench.act('advance', { days: 10 });
    expect(await paymentsOf(bench, id)).toHaveLength(2);
  });

  test('changes its plan when the customer agrees, and ends when it is cancelled', async () => {
    const bench = await startBench();
    const { id, small, large } = await subscribe(bench);
    const path = `${subscriptions}/${id}`;
    const revised = await bench.paypal('POST', `${path}/revise`, { plan_id: large });
    expect((await bench.paypal('GET', path)).body.plan_id).toBe(small);
    await bench.choose(approvalUrlOf(revised.body), 'pay');
    expect((await bench.paypal('GET', path)).body.plan_id).toBe(large);
    bench.act('advance', { days: 31 });
    const [newest] = await paymentsOf(bench, id);
    expect(newest.amount_with_breakdown.gross_amount.value).toBe('19.00');
    expect((await bench.paypal('POST', `${path}/cancel`, { reason: 'Enough' })).status).toBe(204);
    expect(issueOf(await bench.paypal('POST', `${path}/cancel`, {}))).toBe('SUBSCRIPTION_STATUS_INVALID');
    bench.act('advance', { days: 90 });
    expect(await paymentsOf(bench, id)).toHaveLength(2);
  });

  test('has its payments refunded like any other', async () => {
    const bench = await startBench();
    const { id } = await subscribe(bench);
    const [payment] = await paymentsOf(bench, id);
    await bench.deliver();
    bench.received.length = 0;
    const refund = await bench.paypal('POST', `/v2/payments/captures/${payment.id}/refund`, {});
    expect(refund.body.amount.value).toBe('9.00');
    await bench.deliver();
    const [told] = bench.received;
    expect(told?.event).toMatchObject({
      event_type: 'PAYMENT.SALE.REFUNDED',
      resource: { sale_id: payment.id, amount: { total: '-9.00', currency: 'EUR' } },
    });
  });
});
