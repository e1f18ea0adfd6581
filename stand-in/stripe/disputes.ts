import type { Form } from '../lib/form.ts';
import type { World } from '../world.ts';
import { emit } from './events.ts';
import { find } from './find.ts';
import { listParameters, pageOf } from './lists.ts';
import { StripeRefusal } from './refusal.ts';
import { fits } from './sessions.ts';
import { idOf, type Charge, type Dispute, type FraudWarning } from './wire.ts';

const answerDays = 7;

const noEvidence: Dispute['evidence'] = {
  access_activity_log: null,
  billing_address: null,
  cancellation_policy: null,
  cancellation_policy_disclosure: null,
  cancellation_rebuttal: null,
  customer_communication: null,
  customer_email_address: null,
  customer_name: null,
  customer_purchase_ip: null,
  customer_signature: null,
  duplicate_charge_documentation: null,
  duplicate_charge_explanation: null,
  duplicate_charge_id: null,
  enhanced_evidence: {},
  product_description: null,
  receipt: null,
  refund_policy: null,
  refund_policy_disclosure: null,
  refund_refusal_explanation: null,
  service_date: null,
  service_documentation: null,
  shipping_address: null,
  shipping_carrier: null,
  shipping_date: null,
  shipping_documentation: null,
  shipping_tracking_number: null,
  uncategorized_file: null,
  uncategorized_text: null,
};

/** A bank calls a payment back: what has not been refunded of it, unless it says how much. */
export function openDispute(world: World, charge: Charge, amount?: number): Dispute {
  if (charge.status !== 'succeeded' || charge.disputed) {
    throw StripeRefusal.wrongState(`Charge ${charge.id} cannot be disputed.`);
  }
  const now = world.seconds();
  const brand = charge.payment_method_details?.card?.brand ?? null;
  const dispute: Dispute = {
    id: world.newId('du_'),
    object: 'dispute',
    amount: amount ?? charge.amount - charge.amount_refunded,
    balance_transactions: [],
    charge: charge.id,
    created: now,
    currency: charge.currency,
    enhanced_eligibility_types: [],
    evidence: { ...noEvidence },
    evidence_details: {
      due_by: now + answerDays * 86_400,
      enhanced_eligibility: {},
      has_evidence: false,
      past_due: false,
      submission_count: 0,
      submission_method: 'manual',
    },
    intended_submission_method: null,
    is_charge_refundable: false,
    livemode: false,
    metadata: {},
    network_reason_code: '10.4',
    payment_intent: idOf(charge.payment_intent),
    ...(brand === null
      ? {}
      : {
          payment_method_details: {
            card: { brand, case_type: 'chargeback', network: brand, network_reason_code: '10.4' },
            type: 'card',
          },
        }),
    reason: 'fraudulent',
    status: 'needs_response',
  };
  world.state.stripe.disputes[dispute.id] = dispute;
  charge.disputed = true;
  emit(world, 'charge.dispute.created', dispute);
  emit(world, 'charge.dispute.funds_withdrawn', dispute);
  return dispute;
}

/** The bank decides. What was won comes back. */
export function closeDispute(world: World, dispute: Dispute, outcome: 'won' | 'lost'): Dispute {
  if (dispute.status === 'won' || dispute.status === 'lost') {
    throw StripeRefusal.wrongState(`Dispute ${dispute.id} is already closed.`);
  }
  const previous = { status: dispute.status };
  dispute.status = outcome;
  emit(world, 'charge.dispute.updated', dispute, previous);
  emit(world, 'charge.dispute.closed', dispute);
  if (outcome === 'won') emit(world, 'charge.dispute.funds_reinstated', dispute);
  return dispute;
}

/** POST /v1/disputes/:id/close: it is accepted as lost. */
export function acceptDispute(world: World, form: Form, id: string): Dispute {
  form.only('expand');
  return closeDispute(world, find(world, 'disputes', id), 'lost');
}

/** GET /v1/disputes */
export function listDisputes(world: World, form: Form) {
  form.only(...listParameters, 'charge', 'payment_intent');
  const wanted = Object.values(world.state.stripe.disputes).filter(
    (dispute) => fits(form, 'charge', dispute.charge) && fits(form, 'payment_intent', dispute.payment_intent),
  );
  return pageOf(wanted, form, '/v1/disputes');
}

/** A bank says early that a card was stolen, before anybody disputes the payment. */
export function warnOfFraud(world: World, charge: Charge): FraudWarning {
  const warning: FraudWarning = {
    id: world.newId('issfr_'),
    object: 'radar.early_fraud_warning',
    actionable: !charge.refunded && !charge.disputed,
    charge: charge.id,
    created: world.seconds(),
    fraud_type: 'made_with_stolen_card',
    livemode: false,
    payment_intent: idOf(charge.payment_intent) ?? '',
  };
  world.state.stripe.fraudWarnings[warning.id] = warning;
  emit(world, 'radar.early_fraud_warning.created', warning);
  return warning;
}

/** GET /v1/radar/early_fraud_warnings */
export function listFraudWarnings(world: World, form: Form) {
  form.only(...listParameters, 'charge', 'payment_intent');
  const wanted = Object.values(world.state.stripe.fraudWarnings).filter(
    (warning) =>
      fits(form, 'charge', warning.charge) && fits(form, 'payment_intent', warning.payment_intent ?? null),
  );
  return pageOf(wanted, form, '/v1/radar/early_fraud_warnings');
}
