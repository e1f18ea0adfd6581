import type { Clock } from '../../../ctx.ts';
import type { BillingPlans } from './billing-plans.ts';
import { createBillingPlans } from './billing-plans.ts';
import { createMerchant, type Merchant } from './merchant.ts';
import { createPaypalClient, type PaypalClient, type PaypalClientOptions } from './paypal-client.ts';

/** What every call of PayPal's API is handed. */
export type PaypalConnection = {
  client: PaypalClient;
  clock: Clock;
  plans: BillingPlans;
  merchant: Merchant;
};

/** A connection to one account at PayPal, in one mode. `merchantId` is empty where it is to be learnt. */
export function createPaypalConnection(
  options: PaypalClientOptions & { merchantId: string },
): PaypalConnection {
  const client = createPaypalClient(options);
  const merchant = createMerchant(client, options.merchantId);
  return { client, clock: options.clock, plans: createBillingPlans(), merchant };
}
