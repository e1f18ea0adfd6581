import type { Stripe } from 'stripe';
import type { Clock } from '../../../ctx.ts';
import type { Fact } from '../fact.ts';
import { askStripeFor } from './ask-stripe.ts';
import { toInvoiceFact } from './to-invoice-fact.ts';
import { toSubscriptionFact } from './to-subscription-fact.ts';

/**
 * The subscription that a session has begun, with its first bill; nothing while the session is open, null
 * when it has expired or Stripe knows none such.
 */
export async function readSubscriptionCheckout(
  stripe: Stripe,
  clock: Clock,
  checkoutId: string,
): Promise<Fact[] | null> {
  const params = { expand: ['subscription', 'invoice.payments'] };
  const session = await askStripeFor(() => stripe.checkout.sessions.retrieve(checkoutId, params));
  if (session === null || session.status === 'expired') return null;
  const { subscription, invoice } = session;
  const facts = [
    subscription !== null && typeof subscription === 'object'
      ? toSubscriptionFact(subscription, clock.now())
      : null,
    invoice !== null && typeof invoice === 'object' ? toInvoiceFact(invoice) : null,
  ];
  return facts.filter((fact) => fact !== null);
}
