import type { Form } from '../lib/form.ts';
import type { World } from '../world.ts';
import { chargeIntent } from './charge-intent.ts';
import { emit } from './events.ts';
import { find } from './find.ts';
import { addIntent } from './intents.ts';
import { listParameters, pageOf } from './lists.ts';
import { StripeRefusal } from './refusal.ts';
import { fits } from './sessions.ts';
import { idOf, type Invoice, type InvoicePayment, type PaymentIntent } from './wire.ts';

/**
 * Charges the card of a bill. A decline leaves the bill open, and says so by events; a later call tries again
 * with the same payment.
 */
export function payInvoice(
  world: World,
  invoice: Invoice,
  { methodId, declines }: { methodId: string | null; declines: boolean },
): boolean {
  if (invoice.amount_due === 0) {
    markPaid(world, invoice);
    return true;
  }
  const method = world.state.stripe.paymentMethods[methodId ?? ''];
  const { intent, payment } = paymentOf(world, invoice);
  invoice.attempted = true;
  invoice.attempt_count += 1;
  if (method) chargeIntent(world, intent, method, declines ? 'declines' : 'succeeds');
  if (intent.status !== 'succeeded') {
    emit(world, 'invoice.payment_failed', invoice);
    return false;
  }
  payment.status = 'paid';
  payment.amount_paid = invoice.amount_due;
  payment.status_transitions.paid_at = world.seconds();
  markPaid(world, invoice);
  emit(world, 'invoice_payment.paid', payment);
  return true;
}

function markPaid(world: World, invoice: Invoice): void {
  invoice.attempted = true;
  invoice.status = 'paid';
  invoice.amount_paid = invoice.amount_due;
  invoice.amount_remaining = 0;
  invoice.next_payment_attempt = null;
  invoice.status_transitions.paid_at = world.seconds();
  emit(world, 'invoice.paid', invoice);
  emit(world, 'invoice.payment_succeeded', invoice);
}

/** The payment of a bill, made when it is first charged. */
function paymentOf(world: World, invoice: Invoice): { intent: PaymentIntent; payment: InvoicePayment } {
  const { stripe } = world.state;
  const known = Object.values(stripe.invoicePayments).find((item) => item.invoice === invoice.id);
  const knownIntent = stripe.paymentIntents[idOf(known?.payment.payment_intent) ?? ''];
  if (known && knownIntent) return { intent: knownIntent, payment: known };
  const intent = addIntent(world, {
    amount: invoice.amount_due,
    currency: invoice.currency,
    customerId: idOf(invoice.customer),
    description:
      invoice.billing_reason === 'subscription_create' ? 'Subscription creation' : 'Subscription update',
    metadata: {},
    keepsMethod: false,
    receiptEmail: null,
  });
  const payment: InvoicePayment = {
    id: world.newId('inpay_'),
    object: 'invoice_payment',
    amount_paid: null,
    amount_requested: invoice.amount_due,
    created: world.seconds(),
    currency: invoice.currency,
    invoice: invoice.id,
    is_default: true,
    livemode: false,
    payment: { payment_intent: intent.id, type: 'payment_intent' },
    status: 'open',
    status_transitions: { canceled_at: null, paid_at: null },
  };
  stripe.invoicePayments[payment.id] = payment;
  return { intent, payment };
}

/** A bill that will not be paid any more. */
export function voidInvoice(world: World, invoice: Invoice): Invoice {
  if (invoice.status !== 'open') {
    throw StripeRefusal.wrongState('You can only void open invoices.', 'invoice_not_editable');
  }
  invoice.status = 'void';
  invoice.next_payment_attempt = null;
  invoice.status_transitions.voided_at = world.seconds();
  emit(world, 'invoice.voided', invoice);
  return invoice;
}

/** GET /v1/invoices */
export function listInvoices(world: World, form: Form) {
  form.only(...listParameters, 'customer', 'subscription', 'status', 'collection_method');
  const wanted = Object.values(world.state.stripe.invoices).filter(
    (invoice) =>
      fits(form, 'customer', invoice.customer) &&
      fits(form, 'status', invoice.status) &&
      fits(form, 'subscription', subscriptionOf(invoice)),
  );
  return pageOf(wanted, form, '/v1/invoices');
}

/** The subscription that a bill is for. */
export function subscriptionOf(invoice: Invoice): string | null {
  return idOf(invoice.parent?.subscription_details?.subscription);
}

/** GET /v1/invoice_payments */
export function listInvoicePayments(world: World, form: Form) {
  form.only(...listParameters, 'invoice', 'payment', 'status');
  const payment = form.part('payment').only('type', 'payment_intent');
  const intent = payment.text('payment_intent');
  const wanted = Object.values(world.state.stripe.invoicePayments).filter(
    (item) =>
      fits(form, 'invoice', item.invoice) &&
      fits(form, 'status', item.status) &&
      (intent === null || idOf(item.payment.payment_intent) === intent),
  );
  return pageOf(wanted, form, '/v1/invoice_payments');
}

/** POST /v1/invoices/:id/void */
export function voidInvoiceById(world: World, form: Form, id: string): Invoice {
  form.only('expand');
  return voidInvoice(world, find(world, 'invoices', id));
}
