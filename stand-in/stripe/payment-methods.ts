import type { Form } from '../lib/form.ts';
import type { World } from '../world.ts';
import { emit } from './events.ts';
import { find } from './find.ts';
import { listParameters, pageOf } from './lists.ts';
import { StripeRefusal } from './refusal.ts';
import { idOf, type Customer, type PaymentMethod } from './wire.ts';

const billingDetails = { address: null, email: null, name: null, phone: null, tax_id: null };

/**
 * A card or a bank account that somebody pays with on the page. Its number is one of those that Stripe uses
 * in tests.
 */
export function addPaymentMethod(
  world: World,
  {
    type,
    email,
    customerId,
  }: { type: 'card' | 'sepa_debit'; email: string | null; customerId: string | null },
): PaymentMethod {
  const base = {
    id: world.newId('pm_'),
    object: 'payment_method' as const,
    allow_redisplay: 'limited' as const,
    billing_details: { ...billingDetails, email },
    created: world.seconds(),
    customer: customerId,
    customer_account: null,
    livemode: false,
    metadata: {},
  };
  const method: PaymentMethod =
    type === 'card' ? { ...base, type, card: card(world) } : { ...base, type, sepa_debit: account(world) };
  world.state.stripe.paymentMethods[method.id] = method;
  if (customerId !== null) emit(world, 'payment_method.attached', method);
  return method;
}

function card(world: World): NonNullable<PaymentMethod['card']> {
  return {
    brand: 'visa',
    checks: { address_line1_check: null, address_postal_code_check: null, cvc_check: 'pass' },
    country: 'DE',
    display_brand: 'visa',
    exp_month: 12,
    exp_year: world.now().getUTCFullYear() + 4,
    fingerprint: world.randomText(16),
    funding: 'credit',
    generated_from: null,
    last4: '4242',
    networks: { available: ['visa'], preferred: null },
    regulated_status: 'unregulated',
    three_d_secure_usage: { supported: true },
    wallet: null,
  };
}

function account(world: World): NonNullable<PaymentMethod['sepa_debit']> {
  return {
    bank_code: '37040044',
    branch_code: '',
    country: 'DE',
    fingerprint: world.randomText(16),
    generated_from: { charge: null, setup_attempt: null },
    last4: '3000',
  };
}

/** GET /v1/payment_methods and GET /v1/customers/:id/payment_methods */
export function listPaymentMethods(world: World, form: Form, customerId?: string) {
  form.only(...listParameters, 'customer', 'type', 'allow_redisplay');
  const customer = customerId ?? form.text('customer');
  if (customer !== null)
    find(world, 'customers', customer, customerId === undefined ? 'customer' : undefined);
  const type = form.text('type');
  const methods = Object.values(world.state.stripe.paymentMethods);
  const wanted = methods.filter(
    (method) => method.customer === customer && customer !== null && (type === null || method.type === type),
  );
  const url =
    customerId === undefined ? '/v1/payment_methods' : `/v1/customers/${customerId}/payment_methods`;
  return pageOf(wanted, form, url);
}

/** POST /v1/payment_methods/:id/detach */
export function detachPaymentMethod(world: World, form: Form, id: string): PaymentMethod {
  form.only('expand');
  const method = find(world, 'paymentMethods', id);
  if (method.customer === null) {
    throw StripeRefusal.wrongState('The payment method you provided is not attached to a customer.');
  }
  for (const customer of Object.values(world.state.stripe.customers)) forget(customer, id);
  const previous = { customer: method.customer };
  method.customer = null;
  emit(world, 'payment_method.detached', method, previous);
  return method;
}

function forget(customer: Customer, methodId: string): void {
  const { invoice_settings: settings } = customer;
  if (idOf(settings.default_payment_method) === methodId) settings.default_payment_method = null;
}
