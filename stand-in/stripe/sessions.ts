import type { Form } from '../lib/form.ts';
import type { World } from '../world.ts';
import { emit } from './events.ts';
import { find } from './find.ts';
import { listParameters, pageOf } from './lists.ts';
import { addPrice } from './prices.ts';
import { StripeRefusal } from './refusal.ts';
import { idOf, type LineItem, type Session } from './wire.ts';

const minutesMin = 30;
const hoursMax = 24;

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

type Parts = { mode: 'payment' | 'subscription'; lines: LineItem[]; customerId: string | null };

function buildSession(world: World, form: Form, { mode, lines, customerId }: Parts): Session {
  const id = world.newId('cs_test_', 58);
  const amount = lines.reduce((sum, line) => sum + line.amount_total, 0);
  const currency = lines[0]?.currency ?? 'eur';
  const taxes = form.part('automatic_tax').only('enabled', 'liability').flag('enabled') === true;
  const invoices = form.part('invoice_creation').flag('enabled') === true;
  return {
    id,
    object: 'checkout.session',
    adaptive_pricing: { enabled: false },
    after_expiration: null,
    allow_promotion_codes: form.flag('allow_promotion_codes'),
    allowed_payment_method_types: null,
    amount_subtotal: amount,
    amount_total: amount,
    automatic_tax: {
      enabled: taxes,
      liability: taxes ? { type: 'self' } : null,
      provider: taxes ? 'stripe' : null,
      status: taxes ? 'requires_location_inputs' : null,
    },
    billing_address_collection: form.choice('billing_address_collection', 'auto', 'required'),
    cancel_url: form.text('cancel_url'),
    client_reference_id: form.text('client_reference_id'),
    client_secret: null,
    collected_information: null,
    consent: null,
    consent_collection: null,
    created: world.seconds(),
    currency,
    currency_conversion: null,
    custom_fields: [],
    custom_text: {
      after_submit: null,
      shipping_address: null,
      submit: null,
      terms_of_service_acceptance: null,
    },
    customer: customerId,
    customer_account: null,
    customer_creation:
      mode === 'subscription' || customerId !== null
        ? null
        : form.choice('customer_creation', 'if_required', 'always'),
    customer_details: emailDetails(
      customerId === null
        ? form.text('customer_email')
        : (world.state.stripe.customers[customerId]?.email ?? null),
    ),
    customer_email: form.text('customer_email'),
    discounts: [],
    expires_at: expiryOf(world, form),
    integration_identifier: form.text('integration_identifier'),
    invoice: null,
    invoice_creation:
      mode === 'subscription'
        ? null
        : {
            enabled: invoices,
            invoice_data: {
              account_tax_ids: null,
              custom_fields: null,
              description: null,
              footer: null,
              issuer: null,
              metadata: form.part('invoice_creation').part('invoice_data').table('metadata'),
              rendering_options: null,
            },
          },
    livemode: false,
    locale: null,
    managed_payments: null,
    metadata: form.table('metadata'),
    mode,
    origin_context: null,
    payment_intent: null,
    payment_link: null,
    payment_method_collection: mode === 'subscription' ? 'always' : 'if_required',
    payment_method_configuration_details: null,
    payment_method_options: { card: { request_three_d_secure: 'automatic' } },
    payment_method_types: mode === 'subscription' ? ['card'] : ['card', 'sepa_debit'],
    payment_status: 'unpaid',
    permissions: null,
    phone_number_collection: { enabled: false },
    recovered_from: null,
    saved_payment_method_options: null,
    setup_intent: null,
    shipping_address_collection: null,
    shipping_cost: null,
    shipping_options: [],
    status: 'open',
    submit_type: null,
    subscription: null,
    success_url: form.text('success_url'),
    total_details: { amount_discount: 0, amount_shipping: 0, amount_tax: 0 },
    ui_mode: 'hosted_page',
    url: `${world.url}/pay/stripe/${id}`,
    wallet_options: null,
  };
}

/** What a checkout knows of a customer who has only been named so far. */
export function emailDetails(email: string | null): Session['customer_details'] {
  if (email === null) return null;
  return {
    address: null,
    business_name: null,
    email,
    individual_name: null,
    name: null,
    phone: null,
    tax_exempt: 'none',
    tax_ids: null,
  };
}

function expiryOf(world: World, form: Form): number {
  const now = world.seconds();
  const wanted = form.integer('expires_at') ?? now + hoursMax * 3600;
  // Seconds go by between the call and its arrival, so both bounds give a little.
  const isWithin = wanted >= now + minutesMin * 60 - 60 && wanted <= now + hoursMax * 3600 + 60;
  if (isWithin) return wanted;
  throw StripeRefusal.wrongParameter(
    'expires_at',
    `The \`expires_at\` timestamp must be at least ${minutesMin} minutes and at most ${hoursMax} hours from now`,
  );
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
