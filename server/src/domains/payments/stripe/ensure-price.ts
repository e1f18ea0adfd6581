import type { Stripe } from 'stripe';
import type { PaymentProvider } from '../payment-provider.ts';
import { askStripe } from './ask-stripe.ts';
import { toStripeAmount } from './stripe-amounts.ts';

type Plan = Parameters<PaymentProvider['ensurePrice']>[0];

/**
 * The price of this version of a plan at Stripe, made if it is not there. It is found by a name that says
 * all that counts, so that two services which share an account at Stripe never take each other's price for
 * their own.
 */
export async function ensurePrice(stripe: Stripe, plan: Plan): Promise<string> {
  const name = nameOf(plan);
  const found = await askStripe(() => stripe.prices.list({ lookup_keys: [name], active: true, limit: 1 }));
  const [known] = found.data;
  if (known !== undefined) return known.id;
  const made = await askStripe(() =>
    stripe.prices.create(
      {
        currency: plan.currency.toLowerCase(),
        unit_amount: toStripeAmount(plan.priceCents, plan.currency),
        tax_behavior: plan.taxBehavior,
        recurring: { interval: plan.interval },
        product_data: { name: plan.name },
        lookup_key: name,
        transfer_lookup_key: true,
      },
      { idempotencyKey: `obol:price:${name}` },
    ),
  );
  return made.id;
}

function nameOf({ planId, version, currency, priceCents, interval, taxBehavior }: Plan): string {
  return `obol:${planId}:${version}:${currency}:${priceCents}:${interval}:${taxBehavior}`;
}
