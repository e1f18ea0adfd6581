import type { Clock, Ctx } from '../../../ctx.ts';
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
  log?: Ctx['log'] | undefined;
};

/** A connection to one account at PayPal, in one mode. `merchantId` is empty where it is to be learnt. */
export function createPaypalConnection(
  options: PaypalClientOptions & { merchantId: string; log?: Ctx['log'] | undefined },
): PaypalConnection {
  const client = createPaypalClient(options);
  const merchant = createMerchant(client, options.merchantId);
  const { clock, log } = options;
  return { client, clock, plans: createBillingPlans(), merchant, log };
}
