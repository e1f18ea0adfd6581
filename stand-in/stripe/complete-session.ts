import type { World } from '../world.ts';
import { addCustomer } from './customers.ts';
import { chargeIntent, endCharge } from './charge-intent.ts';
import { emit } from './events.ts';
import { addIntent } from './intents.ts';
import { addPaymentMethod } from './payment-methods.ts';
import { emailDetails } from './build-session.ts';
import { startSubscription } from './start-subscription.ts';
import type { CheckoutSecrets } from './state.ts';
import { idOf, type PaymentIntent, type Session } from './wire.ts';

/** What somebody can do on the payment page. `later` ones are paid through the banks, which takes a while. */
export type PageChoice = 'pay' | 'pay-later' | 'fail-later' | 'decline';

/** How long the banks take, by the clock of the stand-in. */
const banksSeconds = 60;

/**
 * What somebody did on the payment page of a checkout that is open. `declined` leaves it open, so that
 * another card can be tried.
 */
export function completeSession(world: World, session: Session, choice: PageChoice): 'done' | 'declined' {
  const secrets = world.state.stripe.checkoutSecrets[session.id];
  if (secrets === undefined) throw new Error(`the checkout ${session.id} is not complete`);
  const customerId = customerOf(world, session, secrets);
  if (session.mode === 'subscription') return subscribe(world, session, { secrets, customerId, choice });
  const intent = intentOf(world, session, { secrets, customerId });
  const waits = choice === 'pay-later' || choice === 'fail-later';
  const method = addPaymentMethod(world, {
    type: waits ? 'sepa_debit' : 'card',
    email: session.customer_details?.email ?? null,
    customerId: secrets.savesCard && choice !== 'decline' ? customerId : null,
  });
  chargeIntent(world, intent, method, waits ? 'waits' : choice === 'decline' ? 'declines' : 'succeeds');
  if (choice === 'decline') return 'declined';
  if (waits) {
    world.state.stripe.settlements.push({
      paymentIntentId: intent.id,
      outcome: choice === 'pay-later' ? 'succeeds' : 'fails',
      dueSeconds: world.seconds() + banksSeconds,
    });
  }
  close(world, session, waits ? 'unpaid' : 'paid');
  return 'done';
}

function close(world: World, session: Session, status: 'paid' | 'unpaid'): void {
  session.status = 'complete';
  session.payment_status = status;
  session.url = null;
  if (session.automatic_tax.enabled) session.automatic_tax.status = 'complete';
  emit(world, 'checkout.session.completed', session);
}

/** Ends the wait for the banks. */
export function settlePayment(world: World, paymentIntentId: string, outcome: 'succeeds' | 'fails'): void {
  const { stripe } = world.state;
  stripe.settlements = stripe.settlements.filter((item) => item.paymentIntentId !== paymentIntentId);
  const intent = stripe.paymentIntents[paymentIntentId];
  const charge = stripe.charges[idOf(intent?.latest_charge) ?? ''];
  if (intent?.status !== 'processing' || charge === undefined) return;
  endCharge(world, intent, charge, outcome === 'succeeds' ? 'succeeds' : 'declines');
  const session = Object.values(stripe.sessions).find((item) => idOf(item.payment_intent) === intent.id);
  if (session === undefined) return;
  if (outcome === 'succeeds') session.payment_status = 'paid';
  emit(
    world,
    outcome === 'succeeds'
      ? 'checkout.session.async_payment_succeeded'
      : 'checkout.session.async_payment_failed',
    session,
  );
}

/** The customer of a checkout, made now where one is needed. */
function customerOf(world: World, session: Session, secrets: CheckoutSecrets): string | null {
  const known = idOf(session.customer);
  const email = session.customer_email ?? session.customer_details?.email ?? 'somebody@example.com';
  session.customer_details ??= emailDetails(email);
  const isNeeded =
    session.mode === 'subscription' || secrets.savesCard || session.customer_creation === 'always';
  if (known !== null || !isNeeded) return known;
  session.customer = addCustomer(world, { email, name: null, metadata: {} }).id;
  return session.customer;
}

/** The payment of a checkout: made at the first attempt, and kept for the next ones. */
function intentOf(
  world: World,
  session: Session,
  { secrets, customerId }: { secrets: CheckoutSecrets; customerId: string | null },
): PaymentIntent {
  const known = world.state.stripe.paymentIntents[idOf(session.payment_intent) ?? ''];
  if (known) return known;
  const intent = addIntent(world, {
    amount: session.amount_total ?? 0,
    currency: session.currency ?? 'eur',
    customerId,
    description: secrets.paymentDescription,
    metadata: secrets.paymentMetadata,
    keepsMethod: secrets.savesCard,
    receiptEmail: null,
  });
  session.payment_intent = intent.id;
  return intent;
}

type Subscribing = { secrets: CheckoutSecrets; customerId: string | null; choice: PageChoice };

function subscribe(
  world: World,
  session: Session,
  { secrets, customerId, choice }: Subscribing,
): 'done' | 'declined' {
  if (customerId === null || choice === 'decline') return 'declined';
  const started = startSubscription(world, {
    customerId,
    method: addPaymentMethod(world, {
      type: 'card',
      email: session.customer_details?.email ?? null,
      customerId,
    }),
    lines: secrets.lineItems,
    metadata: secrets.subscriptionMetadata,
  });
  session.subscription = started.subscription.id;
  session.invoice = started.invoice.id;
  close(world, session, 'paid');
  return 'done';
}
