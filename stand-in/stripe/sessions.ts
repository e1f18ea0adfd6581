import type { Form } from '../lib/form.ts';
import type { World } from '../world.ts';
import { buildSession } from './build-session.ts';
import { emit } from './events.ts';
import { find } from './find.ts';
import { listParameters, pageOf } from './lists.ts';
import { addPrice } from './prices.ts';
import { StripeRefusal } from './refusal.ts';
import { idOf, type LineItem, type Session } from './wire.ts';

const createParameters = [
  'mode',
  'line_items',
  'customer',
  'customer_email',
  'customer_creation',
  'customer_update',
  'client_reference_id',
  'metadata',
  'payment_intent_data',
  'subscription_data',
  'success_url',
  'cancel_url',
  'expires_at',
  'automatic_tax',
  'tax_id_collection',
  'billing_address_collection',
  'allowed_payment_method_types',
  'excluded_payment_method_types',
  'payment_method_options',
  'payment_method_data',
  'payment_method_collection',
  'saved_payment_method_options',
  'invoice_creation',
  'consent_collection',
  'allow_promotion_codes',
  'submit_type',
  'locale',
  'currency',
  'custom_text',
  'ui_mode',
  'adaptive_pricing',
  'integration_identifier',
  'origin_context',
  'expand',
];

/** POST /v1/checkout/sessions */
export function createSession(world: World, form: Form): Session {
  form.only(...createParameters);
  const mode = form.choice('mode', 'payment', 'subscription');
  const lines = form.parts('line_items').map((line) => addLine(world, line, mode));
  if (lines.length === 0) throw StripeRefusal.missingParameter('line_items');
  const customerId = form.text('customer');
  if (customerId !== null) find(world, 'customers', customerId, 'customer');
  if (customerId !== null && form.has('customer_email')) {
    throw StripeRefusal.wrongState('You may only specify one of these parameters: customer, customer_email.');
  }
  form.needText('success_url');
  const session = buildSession(world, form, { mode, lines, customerId });
  const intentData = form.part('payment_intent_data');
  intentData.only(
    'metadata',
    'setup_future_usage',
    'description',
    'receipt_email',
    'statement_descriptor_suffix',
  );
  const subscriptionData = form.part('subscription_data');
  subscriptionData.only('metadata', 'description', 'billing_mode', 'invoice_settings', 'default_tax_rates');
  const { stripe } = world.state;
  stripe.sessions[session.id] = session;
  stripe.checkoutSecrets[session.id] = {
    lineItems: lines,
    savesCard: intentData.has('setup_future_usage'),
    paymentMetadata: intentData.table('metadata'),
    subscriptionMetadata: subscriptionData.table('metadata'),
    paymentDescription: intentData.text('description'),
  };
  return session;
}

function addLine(world: World, line: Form, mode: 'payment' | 'subscription'): LineItem {
  line.only(
    'price',
    'price_data',
    'quantity',
    'metadata',
    'adjustable_quantity',
    'tax_rates',
    'dynamic_tax_rates',
  );
  const priceId = line.text('price');
  const price =
    priceId === null
      ? addPrice(
          world,
          line
            .part('price_data')
            .only('currency', 'unit_amount', 'product', 'product_data', 'recurring', 'tax_behavior'),
        )
      : find(world, 'prices', priceId, line.nameOf('price'));
  if (!price.active)
    throw StripeRefusal.wrongParameter(line.nameOf('price'), 'The price specified is inactive.');
  if ((price.type === 'recurring') !== (mode === 'subscription')) {
    throw StripeRefusal.wrongState(
      mode === 'payment'
        ? 'You specified `payment` mode but passed a recurring price.'
        : 'You must provide at least one recurring price in `subscription` mode when using prices.',
    );
  }
  const quantity = line.needInteger('quantity');
  const amount = (price.unit_amount ?? 0) * quantity;
  return {
    id: world.newId('li_'),
    object: 'item',
    adjustable_quantity: null,
    amount_discount: 0,
    amount_subtotal: amount,
    amount_tax: 0,
    amount_total: amount,
    currency: price.currency,
    description: world.state.stripe.products[idOf(price.product) ?? '']?.name ?? null,
    metadata: {},
    price: structuredClone(price),
    quantity,
  };
}

/** GET /v1/checkout/sessions */
export function listSessions(world: World, form: Form) {
  form.only(...listParameters, 'customer', 'payment_intent', 'subscription', 'status', 'customer_details');
  const wanted = Object.values(world.state.stripe.sessions).filter(
    (session) =>
      fits(form, 'customer', session.customer) &&
      fits(form, 'payment_intent', session.payment_intent) &&
      fits(form, 'subscription', session.subscription) &&
      fits(form, 'status', session.status),
  );
  return pageOf(wanted, form, '/v1/checkout/sessions');
}

/** Whether a field is what a list was asked for, when it was asked for one. */
export function fits(form: Form, name: string, value: string | { id: string } | null): boolean {
  const wanted = form.text(name);
  return wanted === null || wanted === idOf(value);
}

/** POST /v1/checkout/sessions/:id/expire */
export function expireSession(world: World, form: Form, id: string): Session {
  form.only('expand');
  const session = find(world, 'sessions', id);
  if (session.status !== 'open') {
    throw StripeRefusal.wrongState(
      `Only Checkout Sessions with a status in ["open"] can be expired. This Checkout Session has a status of \`${session.status}\`.`,
    );
  }
  return endSession(world, session);
}

/** A checkout whose time is over. */
export function endSession(world: World, session: Session): Session {
  session.status = 'expired';
  session.url = null;
  emit(world, 'checkout.session.expired', session);
  return session;
}
