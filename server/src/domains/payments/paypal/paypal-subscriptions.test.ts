import { describe, expect, test } from 'vitest';
import { codeOf, json, link, openAdapter, refusalOf, wanted } from '../../../../test/harness/paypal.ts';

const subscriptionPath = '/v1/billing/subscriptions/I-BW452GLLEP1G';
const eur = (value: string) => ({ currency_code: 'EUR', value });
const standing = (status: string) => ({
  id: 'I-BW452GLLEP1G',
  plan_id: 'P-1',
  custom_id: '0199b4e2-7c1d-7b60-8a0e-3f5f8f5b0c22',
  status,
  billing_info: { last_payment: { time: '2026-02-15T10:00:00Z', amount: eur('9.00') } },
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
    expectedPriceId: 'P-1',
    providerPriceId: 'P-2',
    changeId: '0199b4e2-7c1d-7b60-8a0e-3f5f8f5b0c55',
    isImmediate: false,
    returnUrl: 'https://obol.example.com/credits',
  };
  const monthly = {
    billing_cycles: [{ tenure_type: 'REGULAR', frequency: { interval_unit: 'MONTH', interval_count: 1 } }],
  };

  test('has a plan of its own for whatever is agreed, whoever else uses the account', async () => {
    const { fake, provider } = openAdapter();
    fake.on('GET', '/v1/catalogs/products/OBOL-PLANS', { id: 'OBOL-PLANS' });
    fake.on('POST', '/v1/billing/plans', () => json({ id: 'P-1' }, 201));
    const others = [
      { priceCents: 100 },
      { currency: 'USD' },
      { interval: 'month' as const },
      { name: 'Pro of others' },
    ];
    for (const more of [{}, {}, ...others]) await provider.ensurePrice({ ...plan, ...more });
    const keys = fake.asked
      .filter(({ url }) => url.endsWith('/billing/plans'))
      .map(({ headers }) => headers.get('paypal-request-id'));
    expect(keys[1]).toBe(keys[0]);
    expect(new Set(keys).size).toBe(5);
  });

  test('has a billing plan of the one product of ours, which is made when it is missing', async () => {
    const { fake, provider } = openAdapter();
    fake.on('POST', '/v1/catalogs/products', () => json({ id: 'OBOL-PLANS' }, 201));
    fake.on('POST', '/v1/billing/plans', () => json({ id: 'P-1' }, 201));
    expect(await provider.ensurePrice(plan)).toBe('P-1');
    const call = fake.asked.at(-1);
    expect(call?.headers.get('paypal-request-id')).toMatch(/^plan-pro-2-[0-9a-f]{32}$/);
    expect(call?.body).toMatchObject({
      product_id: 'OBOL-PLANS',
      billing_cycles: [
        {
          frequency: { interval_unit: 'YEAR' },
          total_cycles: 0,
          pricing_scheme: { fixed_price: eur('9.00') },
        },
      ],
      // A bill over what failed and the next period, too, would fit no price.
      payment_preferences: { auto_bill_outstanding: false },
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
    const { fake, provider } = openAdapter();
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
    const { fake, provider } = openAdapter();
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
    const { fake, provider } = openAdapter();
    const { providerSubscriptionId, changeId } = change;
    fake.on('POST', `${subscriptionPath}/cancel`, () => new Response(null, { status: 204 }));
    fake.on('GET', subscriptionPath, standing('CANCELLED'));
    fake.on('GET', '/v1/billing/plans/P-1', monthly);
    const ending = { status: 'active', cancelsAtPeriodEnd: true, periodEnd: '2026-03-15T10:00:00.000Z' };
    const cancel = () => provider.cancelSubscription({ providerSubscriptionId, changeId, cancels: true });
    expect(await cancel()).toMatchObject(ending);
    const now = { providerSubscriptionId, changeId, cancels: true, isAtOnce: true };
    expect(await provider.cancelSubscription(now)).toMatchObject({
      status: 'ended',
      cancelsAtPeriodEnd: false,
    });
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
    const { provider } = openAdapter();
    expect(await provider.readSubscription('I-UNKNOWN')).toBeNull();
    expect(await provider.openPortal({ customerId: 'Q', returnUrl: 'https://obol.example.com' })).toBeNull();
    const charge = { ...wanted(), customerId: 'Q' };
    expect(await provider.chargeSavedCard(charge)).toBeNull();
  });
});
