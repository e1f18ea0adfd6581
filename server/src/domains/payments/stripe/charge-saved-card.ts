import { Stripe } from 'stripe';
import type { CheckoutFact } from '../fact.ts';
import type { PaymentProvider } from '../payment-provider.ts';
import { askStripe, askStripeFor } from './ask-stripe.ts';
import { metadataNames, readReference } from './metadata.ts';
import { toStripeAmount } from './stripe-amounts.ts';
import { toSavedCardFact } from './to-checkout-fact.ts';

type Charge = Parameters<PaymentProvider['chargeSavedCard']>[0];

/**
 * Charges the card that a customer saved for it, under a key of the purchase: the one that they made their
 * default, else the one saved last. A card that is declined, or wants its owner, is a payment that has
 * failed, which is an answer; null when there is no card.
 */
export async function chargeSavedCard(stripe: Stripe, order: Charge): Promise<CheckoutFact | null> {
  const card = await findCard(stripe, order.customerId);
  if (card === null) return null;
  const payment = await askStripe(() =>
    stripe.paymentIntents
      .create(
        {
          customer: order.customerId,
          payment_method: card,
          amount: toStripeAmount(order.amountCents, order.currency),
          currency: order.currency.toLowerCase(),
          description: order.title,
          confirm: true,
          off_session: true,
          metadata: {
            [metadataNames.purchaseId]: order.purchaseId,
            [metadataNames.origin]: 'saved_card',
          },
        },
        { idempotencyKey: `obol:charge:${order.purchaseId}` },
      )
      .catch((error: unknown) => {
        if (error instanceof Stripe.errors.StripeCardError && error.payment_intent)
          return error.payment_intent;
        throw error;
      }),
  );
  return toSavedCardFact(payment);
}

async function findCard(stripe: Stripe, customerId: string): Promise<string | null> {
  const customer = await askStripeFor(() => stripe.customers.retrieve(customerId));
  if (customer === null || customer.deleted) return null;
  const chosen = readReference(customer.invoice_settings.default_payment_method);
  if (chosen !== null) return chosen;
  const cards = await askStripe(() =>
    stripe.customers.listPaymentMethods(customerId, { type: 'card', limit: 1 }),
  );
  return cards.data[0]?.id ?? null;
}
