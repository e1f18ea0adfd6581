import { describe, expect, test } from 'vitest';
import { json, refusalOf } from '../../../../test/harness/paypal.ts';
import {
  eur,
  readEvents,
  sale,
  subscription,
  subscriptionId,
} from '../../../../test/harness/paypal-samples.ts';

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
    const { read, fake } = readEvents();
    expect(await read('BILLING.SUBSCRIPTION.ACTIVATED', subscription())).toEqual([active]);
    // Nothing had to be asked for.
    expect(fake.count('/v1/oauth2/token')).toBe(0);
    // Until somebody has approved it, it is none.
    for (const status of ['APPROVAL_PENDING', 'APPROVED', 'OF_TOMORROW']) {
      const unpaid = subscription({ status, billing_info: undefined, update_time: undefined });
      expect(await read('BILLING.SUBSCRIPTION.CREATED', unpaid)).toEqual([]);
    }
    const suspended = subscription({ status: 'SUSPENDED' });
    expect(await read('BILLING.SUBSCRIPTION.SUSPENDED', suspended)).toMatchObject([{ status: 'past_due' }]);
    const expired = subscription({ status: 'EXPIRED' });
    expect(await read('BILLING.SUBSCRIPTION.EXPIRED', expired)).toMatchObject([{ status: 'ended' }]);
    const retried = subscription({
      billing_info: {
        last_payment: { amount: eur('9.00'), time: '2026-01-28T10:00:00Z' },
        next_billing_time: '2026-03-05T10:00:00Z',
        failed_payments_count: 1,
      },
    });
    expect(await read('BILLING.SUBSCRIPTION.UPDATED', retried)).toMatchObject([
      { status: 'past_due', periodStart: '2026-01-28T10:00:00.000Z', periodEnd: '2026-02-28T10:00:00.000Z' },
    ]);
    const failed = await read('BILLING.SUBSCRIPTION.PAYMENT.FAILED', subscription());
    expect(failed).toMatchObject([{ status: 'past_due' }]);
  });

  test('that is cancelled goes on to the end of the period that was paid, and no longer', async () => {
    const { read, clock } = readEvents();
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
    const { read, fake } = readEvents();
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
    expect(await read('PAYMENT.SALE.COMPLETED', sale())).toEqual([active, paid]);
    expect(await read('PAYMENT.SALE.DENIED', sale({ state: 'denied' }))).toEqual([
      { ...paid, status: 'failed' },
    ]);
    // What a plan says never changes, so it is asked for once.
    expect(fake.count('/v1/billing/plans/P-5ML4271244454362WXNWU5NQ')).toBe(1);
    expect(await read('PAYMENT.SALE.COMPLETED', sale({ billing_agreement_id: undefined }))).toEqual([]);
    expect(await read('PAYMENT.SALE.COMPLETED', sale({ billing_agreement_id: 'B-OLD' }))).toEqual([]);
  });

  test('stands anew once a payment is made that had failed, without another event', async () => {
    const { read, fake } = readEvents();
    const path = '/v1/billing/subscriptions/I-BW452GLLEP1G';
    const failed = { billing_info: { failed_payments_count: 1 }, update_time: '2026-03-01T11:58:00Z' };
    fake.on('GET', path, subscription(failed));
    // Of a payment that came to nothing PayPal tells by itself what becomes of the subscription.
    expect(await read('PAYMENT.SALE.DENIED', sale({ state: 'denied' }))).toHaveLength(1);
    fake.on('GET', path, subscription());
    const [fact] = await read('PAYMENT.SALE.COMPLETED', sale());
    expect(fact).toEqual(active);
  });

  test('whose payment cannot be understood now has its delivery sent again', async () => {
    const { read, fake } = readEvents();
    fake.on('GET', '/v1/billing/subscriptions/I-BW452GLLEP1G', () => json(refusalOf('RATE_LIMIT'), 429));
    await expect(read('PAYMENT.SALE.COMPLETED', sale())).rejects.toMatchObject({
      code: 'payments.provider_unavailable',
    });
  });
});
