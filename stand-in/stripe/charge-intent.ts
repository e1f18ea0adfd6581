import type { World } from '../world.ts';
import { emit } from './events.ts';
import { idOf, type Charge, type PaymentIntent, type PaymentMethod } from './wire.ts';

export type ChargeOutcome = 'succeeds' | 'declines' | 'waits';

const declineMessage = 'Your card was declined.';
const outcomeDetails = { advice_code: null, network_advice_code: null, network_decline_code: null };

/**
 * Tries a payment with a card or an account. It succeeds, is declined, or waits for the banks; a payment that
 * was declined can be tried again with another charge.
 */
export function chargeIntent(
  world: World,
  intent: PaymentIntent,
  method: PaymentMethod,
  outcome: ChargeOutcome,
): Charge {
  const charge = addCharge(world, intent, method);
  intent.latest_charge = charge.id;
  intent.payment_method_types = [method.type];
  if (outcome === 'waits') {
    intent.payment_method = method.id;
    intent.status = 'processing';
    emit(world, 'charge.pending', charge);
    emit(world, 'payment_intent.processing', intent);
  } else endCharge(world, intent, charge, outcome);
  return charge;
}

/** What comes of a charge, at once or after the banks have spoken. */
export function endCharge(
  world: World,
  intent: PaymentIntent,
  charge: Charge,
  outcome: 'succeeds' | 'declines',
): void {
  if (outcome === 'succeeds') {
    Object.assign(charge, {
      status: 'succeeded',
      paid: true,
      captured: true,
      amount_captured: charge.amount,
    });
    charge.outcome = { ...outcomeDetails, network_status: 'approved_by_network', reason: null, ...calmRisk };
    charge.receipt_url = `${world.url}/receipts/${charge.id}`;
    intent.payment_method = charge.payment_method;
    intent.status = 'succeeded';
    intent.amount_received = intent.amount;
    intent.last_payment_error = null;
    emit(world, 'charge.succeeded', charge);
    emit(world, 'payment_intent.succeeded', intent);
    return;
  }
  Object.assign(charge, {
    status: 'failed',
    paid: false,
    failure_code: 'card_declined',
    failure_message: declineMessage,
  });
  charge.outcome = {
    ...outcomeDetails,
    network_status: 'declined_by_network',
    reason: 'generic_decline',
    risk_level: 'normal',
    risk_score: 20,
    seller_message: 'The bank did not return any further details with this decline.',
    type: 'issuer_declined',
  };
  intent.status = 'requires_payment_method';
  intent.payment_method = null;
  intent.last_payment_error = lastError(world, charge);
  emit(world, 'charge.failed', charge);
  emit(world, 'payment_intent.payment_failed', intent);
}

const calmRisk = {
  risk_level: 'normal',
  risk_score: 20,
  seller_message: 'Payment complete.',
  type: 'authorized',
};

function lastError(world: World, charge: Charge): NonNullable<PaymentIntent['last_payment_error']> {
  const method = world.state.stripe.paymentMethods[charge.payment_method ?? ''];
  return {
    charge: charge.id,
    code: 'card_declined',
    decline_code: 'generic_decline',
    message: declineMessage,
    ...(method ? { payment_method: structuredClone(method), payment_method_type: method.type } : {}),
    type: 'card_error',
  };
}

function addCharge(world: World, intent: PaymentIntent, method: PaymentMethod): Charge {
  const charge: Charge = {
    id: world.newId('ch_'),
    object: 'charge',
    amount: intent.amount,
    amount_captured: 0,
    amount_refunded: 0,
    application: null,
    application_fee: null,
    application_fee_amount: null,
    balance_transaction: null,
    billing_details: method.billing_details,
    calculated_statement_descriptor: 'OBOL STAND-IN',
    captured: false,
    created: world.seconds(),
    currency: intent.currency,
    customer: idOf(intent.customer),
    description: intent.description,
    disputed: false,
    failure_balance_transaction: null,
    failure_code: null,
    failure_message: null,
    fraud_details: {},
    livemode: false,
    metadata: { ...intent.metadata },
    on_behalf_of: null,
    outcome: null,
    paid: false,
    payment_intent: intent.id,
    payment_method: method.id,
    payment_method_details: detailsOf(intent, method),
    receipt_email: intent.receipt_email,
    receipt_number: null,
    receipt_url: null,
    refunded: false,
    review: null,
    shipping: null,
    source: null,
    source_transfer: null,
    statement_descriptor: null,
    statement_descriptor_suffix: null,
    status: 'pending',
    transfer_data: null,
    transfer_group: null,
  };
  world.state.stripe.charges[charge.id] = charge;
  return charge;
}

function detailsOf(intent: PaymentIntent, method: PaymentMethod): Charge['payment_method_details'] {
  const { card, sepa_debit: account } = method;
  if (account) {
    const { bank_code, branch_code, country, fingerprint, last4 } = account;
    const mandate = `mandate_${method.id.slice(3)}`;
    return {
      type: 'sepa_debit',
      sepa_debit: { bank_code, branch_code, country, fingerprint, last4, mandate },
    };
  }
  if (!card) return null;
  const { brand, checks, country, exp_month, exp_year, fingerprint, funding, last4, regulated_status } = card;
  return {
    type: 'card',
    card: {
      amount_authorized: intent.amount,
      authorization_code: '123456',
      brand,
      checks,
      country,
      electronic_commerce_indicator: null,
      exp_month,
      exp_year,
      fingerprint: fingerprint ?? null,
      funding,
      installments: null,
      last4,
      mandate: null,
      network: brand,
      network_transaction_id: null,
      regulated_status,
      three_d_secure: null,
      transaction_link_id: null,
      wallet: null,
    },
  };
}
