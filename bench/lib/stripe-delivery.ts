import { createHmac } from 'node:crypto';
import { stripeWebhookSecret } from './environment.ts';

/** What a purchase of a delivery costs. */
export const priceCents = 1000;

export type StripeDelivery = { event: object; signature: string };

/** Stripe's word that the checkout of a purchase is paid, with as much beside as it has to say, signed. */
export function paidDelivery(purchaseId: string): StripeDelivery {
  const created = Math.floor(Date.now() / 1000);
  const session = {
    id: `cs_test_${purchaseId}`,
    object: 'checkout.session',
    mode: 'payment',
    status: 'complete',
    payment_status: 'paid',
    payment_intent: `pi_${purchaseId}`,
    amount_subtotal: priceCents,
    amount_total: priceCents,
    currency: 'eur',
    customer: null,
    customer_details: { email: 'someone@example.com', name: 'Someone', address: { country: 'DE' } },
    created,
    expires_at: created + 86_400,
    livemode: false,
    metadata: { obol_purchase_id: purchaseId },
    payment_method_types: ['card', 'sepa_debit'],
    success_url: 'https://example.com/credits',
    total_details: { amount_discount: 0, amount_shipping: 0, amount_tax: 0 },
  };
  const event = {
    id: `evt_${purchaseId}`,
    object: 'event',
    type: 'checkout.session.completed',
    created,
    livemode: false,
    data: { object: session },
  };
  const hmac = createHmac('sha256', stripeWebhookSecret).update(`${created}.${JSON.stringify(event)}`);
  return { event, signature: `t=${created},v1=${hmac.digest('hex')}` };
}
