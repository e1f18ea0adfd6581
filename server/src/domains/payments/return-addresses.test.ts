import { expect, test } from 'vitest';
import { startTestService } from '../../../test/harness/index.ts';
import { addAdministrator, post } from '../../../test/harness/movements.ts';
import { createTestProvider } from '../../../test/harness/payments.ts';
import { ask, makePlan } from '../../../test/harness/plans.ts';
import { addWalletHolder } from '../../../test/harness/wallets.ts';
import type { CheckoutOrder } from './payment-provider.ts';

const appUrl = 'https://apps.example.com';
const orders: Pick<CheckoutOrder, 'successUrl' | 'cancelUrl'>[] = [];
const base = createTestProvider();
const provider: typeof base = {
  ...base,
  openCheckout: (order) => {
    orders.push(order);
    return base.openCheckout(order);
  },
  ensurePrice: async () => 'price_1',
  openSubscription: async (order) => {
    orders.push(order);
    return { checkoutId: 'cs_1', url: 'https://pay.example.com/cs_1', expiresAt: order.expiresAt };
  },
};
const service = await startTestService({ env: { APP_URL: appUrl }, paymentProviders: [provider] });

test('a pack and a subscription lead back to the same page, at APP_URL', async () => {
  await makePlan(service, await addAdministrator(service), 'plus');
  const holder = await addWalletHolder(service);
  const { body: pack } = await post(service, holder, 'purchase', { packageId: 'standard' });
  const { status, body: plan } = await ask(service, holder, 'POST', { planId: 'plus' });
  expect(status).toBe(201);
  expect(orders).toMatchObject([
    {
      successUrl: `${appUrl}/credits?purchase=${pack.purchaseId}`,
      cancelUrl: `${appUrl}/credits?purchase=${pack.purchaseId}&cancelled=true`,
    },
    {
      successUrl: `${appUrl}/credits?subscription=${plan.subscriptionId}`,
      cancelUrl: `${appUrl}/credits`,
    },
  ]);
});
