import type { World } from '../world.ts';
import { StripeRefusal } from './refusal.ts';
import type { StripeState } from './state.ts';

/** What Stripe calls the things of each collection when there is none of an id. */
const names = {
  customers: 'customer',
  sessions: 'checkout.session',
  paymentIntents: 'payment_intent',
  paymentMethods: 'PaymentMethod',
  charges: 'charge',
  refunds: 'refund',
  disputes: 'dispute',
  products: 'product',
  prices: 'price',
  subscriptions: 'subscription',
  invoices: 'invoice',
  invoicePayments: 'invoice_payment',
  portalConfigurations: 'configuration',
  events: 'event',
} as const satisfies Partial<Record<keyof StripeState, string>>;

type Collection = keyof typeof names;

/** The thing of an id, or 404; 400 when it was named in `param` rather than in the path. */
export function find<Name extends Collection>(
  world: World,
  collection: Name,
  id: string,
  param?: string,
): StripeState[Name][string] {
  const things = world.state.stripe[collection] as Record<string, StripeState[Name][string]>;
  const found = Object.hasOwn(things, id) ? things[id] : undefined;
  if (found !== undefined) return found;
  const refusal = StripeRefusal.missingResource(names[collection], id, param);
  if (param === undefined) throw refusal;
  throw new StripeRefusal(400, refusal.body.error);
}
