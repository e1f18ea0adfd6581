import type { Form } from '../lib/form.ts';
import type { World } from '../world.ts';
import { StripeRefusal } from './refusal.ts';
import type { LineItem, Session } from './wire.ts';

const minutesMin = 30;
const hoursMax = 24;

/** What is the same in every checkout of the stand-in. */
const blankSession = {
  object: 'checkout.session',
  adaptive_pricing: { enabled: false },
  after_expiration: null,
  allowed_payment_method_types: null,
  client_secret: null,
  collected_information: null,
  consent: null,
  consent_collection: null,
  currency_conversion: null,
  custom_fields: [],
  custom_text: {
    after_submit: null,
    shipping_address: null,
    submit: null,
    terms_of_service_acceptance: null,
  },
  customer_account: null,
  discounts: [],
  invoice: null,
  livemode: false,
  locale: null,
  managed_payments: null,
  origin_context: null,
  payment_intent: null,
  payment_link: null,
  payment_method_configuration_details: null,
  payment_method_options: { card: { request_three_d_secure: 'automatic' } },
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
  total_details: { amount_discount: 0, amount_shipping: 0, amount_tax: 0 },
  ui_mode: 'hosted_page',
  wallet_options: null,
} satisfies Partial<Session>;

type Parts = { mode: 'payment' | 'subscription'; lines: LineItem[]; customerId: string | null };

/** A checkout that has just been opened, as a call describes it. */
export function buildSession(world: World, form: Form, { mode, lines, customerId }: Parts): Session {
  const id = world.newId('cs_test_', 58);
  const amount = lines.reduce((sum, line) => sum + line.amount_total, 0);
  const isPayment = mode === 'payment';
  const email = form.text('customer_email');
  const known = customerId === null ? null : (world.state.stripe.customers[customerId]?.email ?? null);
  return {
    ...structuredClone(blankSession),
    id,
    allow_promotion_codes: form.flag('allow_promotion_codes'),
    amount_subtotal: amount,
    amount_total: amount,
    automatic_tax: taxOf(form),
    billing_address_collection: form.choice('billing_address_collection', 'auto', 'required'),
    cancel_url: form.text('cancel_url'),
    client_reference_id: form.text('client_reference_id'),
    created: world.seconds(),
    currency: lines[0]?.currency ?? 'eur',
    customer: customerId,
    customer_creation:
      isPayment && customerId === null ? form.choice('customer_creation', 'if_required', 'always') : null,
    customer_details: emailDetails(email ?? known),
    customer_email: email,
    expires_at: expiryOf(world, form),
    integration_identifier: form.text('integration_identifier'),
    invoice_creation: isPayment ? invoiceCreationOf(form) : null,
    metadata: form.table('metadata'),
    mode,
    payment_method_collection: isPayment ? 'if_required' : 'always',
    payment_method_types: isPayment ? ['card', 'sepa_debit'] : ['card'],
    success_url: form.text('success_url'),
    url: `${world.url}/pay/stripe/${id}`,
  };
}

function taxOf(form: Form): Session['automatic_tax'] {
  const isOn = form.part('automatic_tax').only('enabled', 'liability').flag('enabled') === true;
  if (!isOn) return { enabled: false, liability: null, provider: null, status: null };
  return {
    enabled: true,
    liability: { type: 'self' },
    provider: 'stripe',
    status: 'requires_location_inputs',
  };
}

function invoiceCreationOf(form: Form): Session['invoice_creation'] {
  const part = form.part('invoice_creation').only('enabled', 'invoice_data');
  return {
    enabled: part.flag('enabled') === true,
    invoice_data: {
      account_tax_ids: null,
      custom_fields: null,
      description: null,
      footer: null,
      issuer: null,
      metadata: part.part('invoice_data').table('metadata'),
      rendering_options: null,
    },
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
  const bounds = `at least ${minutesMin} minutes and at most ${hoursMax} hours from now`;
  throw StripeRefusal.wrongParameter('expires_at', `The \`expires_at\` timestamp must be ${bounds}`);
}
