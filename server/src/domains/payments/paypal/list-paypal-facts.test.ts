import { describe, expect, test } from 'vitest';
import type { PaymentProvider } from '../payment-provider.ts';
import { codeOf, json, openAdapter, refusalOf } from '../../../../test/harness/paypal.ts';

const searchPath = '/v1/reporting/transactions';
const subscriptionPath = '/v1/billing/subscriptions/I-BW452GLLEP1G';
const orderId = '5O190127TN364715T';
const purchaseId = '0199b4e2-7c1d-7b60-8a0e-3f5f8f5b0c11';
const eur = (value: string) => ({ currency_code: 'EUR', value });
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
const refunded = {
  paypal_reference_id: 'C1',
  paypal_reference_id_type: 'TXN',
  transaction_amount: eur('-4.00'),
};
const transactions = [
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
  transaction('M1', 'T0006'),
];
const collect = async (provider: PaymentProvider, since: string) => {
  const pages = [];
  for await (const page of provider.listFacts(new Date(since))) pages.push(page);
  return pages;
};

describe('what PayPal lists', () => {
  test('are payments, refunds, reversals and cases, as facts', async () => {
    const { fake, provider } = openAdapter();
    fake.on('GET', searchPath, { total_pages: 1, transaction_details: transactions });
    fake.on('GET', '/v2/payments/captures/C1', {
      id: 'C1',
      status: 'PARTIALLY_REFUNDED',
      amount: eur('10.00'),
      custom_id: purchaseId,
      supplementary_data: { related_ids: { order_id: orderId } },
    });
    fake.on('GET', '/v2/payments/captures/M1', {
      id: 'M1',
      status: 'COMPLETED',
      amount: eur('10.00'),
      payee: { merchant_id: 'MALLORY000001' },
      custom_id: purchaseId,
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
    expect(cases).toMatchObject([{ disputeId: 'PP-D-1', status: 'open' }]);
  });

  test('are read although PayPal does not show some of it, or writes it in another form', async () => {
    const { fake, provider } = openAdapter();
    const odd = { transaction_amount: { currency_code: 'BTC', value: '0.00000001' } };
    fake.on('GET', searchPath, {
      total_pages: 1,
      transaction_details: [
        transaction('E1', 'T0200', odd),
        transaction('O1', 'T0006', odd),
        transaction('L1', 'T0006', { transaction_initiation_date: 'lately' }),
        transaction('S1', 'T0002', {
          paypal_reference_id: 'I-BW452GLLEP1G',
          paypal_reference_id_type: 'SUB',
        }),
        transaction('V1', 'T1201', refunded),
      ],
    });
    fake.on('GET', '/v2/payments/captures/L1', () => json(refusalOf('NOT_AUTHORIZED'), 403));
    fake.on('GET', subscriptionPath, { id: 'I-BW452GLLEP1G' });
    fake.on('GET', '/v1/customer/disputes', { items: [{ dispute_id: 'PP-D-1' }] });
    fake.on('GET', '/v1/customer/disputes/PP-D-1', { dispute_id: 'PP-D-1', status: 'OPEN' });
    const [facts, cases] = await collect(provider, '2026-02-15T00:00:00Z');
    expect(facts).toMatchObject([{ kind: 'dispute', disputeId: 'reversal:C1' }]);
    expect(cases).toEqual([]);
  });

  test('that cannot be asked for now are asked for again', async () => {
    const { fake, provider } = openAdapter();
    fake.on('GET', searchPath, { total_pages: 1, transaction_details: [transaction('C1', 'T0006')] });
    fake.on('GET', '/v2/payments/captures/C1', () => json(refusalOf('RATE_LIMIT'), 429));
    expect(await codeOf(collect(provider, '2026-02-15T00:00:00Z'))).toBe('payments.provider_unavailable');
  });

  test('are read page by page, month by month, and in halves where there is too much', async () => {
    const { fake, provider } = openAdapter();
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
    const { fake, provider } = openAdapter();
    fake.on('GET', searchPath, () => json(refusalOf('NOT_AUTHORIZED'), 403));
    expect(await codeOf(collect(provider, '2026-02-15T00:00:00Z'))).toBe('payments.provider_refused');
  });
});
