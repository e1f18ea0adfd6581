import type { Form } from '../lib/form.ts';
import type { World } from '../world.ts';
import { chargeIntent } from './charge-intent.ts';
import { emit } from './events.ts';
import { find } from './find.ts';
import { listParameters, pageOf } from './lists.ts';
import { mergeMetadata } from './customers.ts';
import { StripeRefusal } from './refusal.ts';
import { idOf, type PaymentIntent } from './wire.ts';

export type NewIntent = {
  amount: number;
  currency: string;
  customerId: string | null;
  description: string | null;
  metadata: Record<string, string>;
  keepsMethod: boolean;
  receiptEmail: string | null;
};

const createParameters = [
  'amount',
  'currency',
  'customer',
  'payment_method',
  'allowed_payment_method_types',
  'off_session',
  'confirm',
  'description',
  'metadata',
  'receipt_email',
  'automatic_payment_methods',
  'error_on_requires_action',
  'statement_descriptor_suffix',
  'setup_future_usage',
  'expand',
];

/** POST /v1/payment_intents: with `confirm`, a saved card is charged at once. */
export function createIntent(world: World, form: Form): PaymentIntent {
  form.only(...createParameters);
  const amount = form.needInteger('amount');
  if (amount < 1)
    throw StripeRefusal.wrongParameter('amount', 'This value must be greater than or equal to 1.');
  const customerId = form.text('customer');
  if (customerId !== null) find(world, 'customers', customerId, 'customer');
  const methodId = form.text('payment_method');
  const method = methodId === null ? null : find(world, 'paymentMethods', methodId, 'payment_method');
  if (method !== null && method.customer !== customerId) {
    throw StripeRefusal.wrongState(
      `The provided PaymentMethod cannot be used with this customer. (${method.id})`,
      'payment_method_customer_mismatch',
    );
  }
  const confirms = form.flag('confirm') === true;
  if (form.has('off_session') && !confirms) {
    throw StripeRefusal.wrongState('You can only provide off_session when confirm is true.');
  }
  if (confirms && method === null) throw StripeRefusal.missingParameter('payment_method');
  const intent = addIntent(world, {
    amount,
    currency: form.needText('currency').toLowerCase(),
    customerId,
    description: form.text('description'),
    metadata: form.table('metadata'),
    keepsMethod: form.has('setup_future_usage'),
    receiptEmail: form.text('receipt_email'),
  });
  if (confirms && method !== null) {
    chargeIntent(
      world,
      intent,
      method,
      world.state.stripe.declinedMethods.includes(method.id) ? 'declines' : 'succeeds',
    );
    if (intent.status === 'requires_payment_method') throw declined(intent);
  }
  return intent;
}

/** A payment that has not been tried yet. */
export function addIntent(world: World, order: NewIntent): PaymentIntent {
  const id = world.newId('pi_');
  const intent: PaymentIntent = {
    id,
    object: 'payment_intent',
    allowed_payment_method_types: null,
    amount: order.amount,
    amount_capturable: 0,
    amount_details: { tip: {} },
    amount_received: 0,
    application: null,
    application_fee_amount: null,
    automatic_payment_methods: null,
    canceled_at: null,
    cancellation_reason: null,
    capture_method: 'automatic_async',
    client_secret: `${id}_secret_${world.randomText(25)}`,
    confirmation_method: 'automatic',
    created: world.seconds(),
    currency: order.currency,
    customer: order.customerId,
    customer_account: null,
    description: order.description,
    excluded_payment_method_types: null,
    last_payment_error: null,
    latest_charge: null,
    livemode: false,
    managed_payments: null,
    metadata: order.metadata,
    next_action: null,
    on_behalf_of: null,
    payment_method: null,
    payment_method_configuration_details: null,
    payment_method_options: {},
    payment_method_types: ['card'],
    payment_record: null,
    processing: null,
    receipt_email: order.receiptEmail,
    review: null,
    setup_future_usage: order.keepsMethod ? 'off_session' : null,
    shipping: null,
    source: null,
    statement_descriptor: null,
    statement_descriptor_suffix: null,
    status: 'requires_payment_method',
    transfer_data: null,
    transfer_group: null,
  };
  world.state.stripe.paymentIntents[id] = intent;
  emit(world, 'payment_intent.created', intent);
  return intent;
}

/** POST /v1/payment_intents/:id */
export function updateIntent(world: World, form: Form, id: string): PaymentIntent {
  form.only('metadata', 'description', 'expand');
  const intent = find(world, 'paymentIntents', id);
  intent.metadata = mergeMetadata(intent.metadata, form.table('metadata'));
  if (form.has('description')) intent.description = form.text('description');
  return intent;
}

/** GET /v1/payment_intents */
export function listIntents(world: World, form: Form) {
  form.only(...listParameters, 'customer');
  const customer = form.text('customer');
  const intents = Object.values(world.state.stripe.paymentIntents);
  const wanted = intents.filter((intent) => customer === null || idOf(intent.customer) === customer);
  return pageOf(wanted, form, '/v1/payment_intents');
}

/** The refusal of a card that was charged without its owner being there. */
function declined(intent: PaymentIntent): StripeRefusal {
  return new StripeRefusal(402, {
    type: 'card_error',
    code: 'card_declined',
    decline_code: 'generic_decline',
    message: 'Your card was declined.',
    payment_intent: structuredClone(intent),
  });
}
