import type { Clock } from '../../../ctx.ts';
import type { BillingPlans } from './billing-plans.ts';
import { createBillingPlans } from './billing-plans.ts';
import { createPaypalClient, type PaypalClient, type PaypalClientOptions } from './paypal-client.ts';

/** What every call of PayPal's API is handed. */
export type PaypalConnection = { client: PaypalClient; clock: Clock; plans: BillingPlans };

/** A connection to one account at PayPal, in one mode. */
export function createPaypalConnection(options: PaypalClientOptions): PaypalConnection {
  return { client: createPaypalClient(options), clock: options.clock, plans: createBillingPlans() };
}
