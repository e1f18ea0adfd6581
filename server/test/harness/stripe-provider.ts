import { expect } from 'vitest';
import { loadConfig } from '../../src/config.ts';
import { createStripeProvider, type CheckoutOrder, type Fact } from '../../src/domains/payments/index.ts';
import { startPaymentStandIn } from './payment-stand-in.ts';
import { capturingAll } from './payments.ts';
import { signStripe, stripeEvent } from './stripe-events.ts';

async function choose(url: string, choice: string): Promise<void> {
  const body = new URLSearchParams({ choice });
  const { status } = await fetch(url, { method: 'POST', body, redirect: 'manual' });
  expect([303, 402]).toContain(status);
}

/** The adapter of Stripe with its stand-in, and what tests do with them. */
export async function startStripeProvider() {
  const standIn = await startPaymentStandIn();
  const config = loadConfig(standIn.settings);
  const stripe = capturingAll(createStripeProvider({ config, clock: standIn.clock }));
  let numbers = 0;
  const newId = () => `0195f0a0-0000-7000-8000-${String((numbers += 1)).padStart(12, '0')}`;

  function order(changes: Partial<CheckoutOrder> = {}): CheckoutOrder {
    return {
      purchaseId: newId(),
      userId: newId(),
      email: 'ada@example.com',
      customerId: null,
      title: 'Standard',
      amountCents: 1000,
      currency: 'EUR',
      taxBehavior: 'inclusive',
      savesCard: false,
      successUrl: 'https://obol.example/credits?ok',
      cancelUrl: 'https://obol.example/credits',
      expiresAt: new Date(standIn.clock.now().getTime() + 23 * 3_600_000),
      ...changes,
    };
  }

  async function buy(changes: Partial<CheckoutOrder> = {}) {
    const asked = order(changes);
    const { checkoutId, url } = await stripe.openCheckout(asked);
    await choose(url, 'pay');
    const fact = await stripe.readCheckout(checkoutId);
    if (!fact?.paymentId) throw new Error('it was not paid');
    return { order: asked, checkoutId, fact, paymentId: fact.paymentId };
  }

  async function factsSince(since: Date): Promise<Fact[]> {
    const facts: Fact[] = [];
    for await (const page of stripe.listFacts(since)) facts.push(...page);
    return facts;
  }

  function deliver(type: string, object: unknown, provider = stripe) {
    const at = standIn.clock.now();
    const body = stripeEvent({ id: `evt_${type}`, type, object, at });
    const signature = signStripe(body, { at, secret: standIn.settings.STRIPE_WEBHOOK_SECRET });
    return provider.readDelivery(Buffer.from(body), { 'stripe-signature': signature });
  }

  function chargeOf(paymentId: string) {
    const charge = Object.values(standIn.world.state.stripe.charges).find(
      ({ payment_intent: payment }) => payment === paymentId,
    );
    if (!charge) throw new Error('there is no charge');
    return charge;
  }

  return { standIn, stripe, newId, order, choose, buy, factsSince, deliver, chargeOf };
}
