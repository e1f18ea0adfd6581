import type { Form } from '../lib/form.ts';
import type { World } from '../world.ts';
import { mergeMetadata } from './customers.ts';
import { emit } from './events.ts';
import { find } from './find.ts';
import { listParameters, pageOf } from './lists.ts';
import { StripeRefusal } from './refusal.ts';
import { fits } from './sessions.ts';
import { idOf, type Charge, type Refund } from './wire.ts';

type NewRefund = {
  amount: number | null;
  reason: Refund['reason'];
  metadata: Record<string, string>;
};

/** POST /v1/refunds */
export function createRefund(world: World, form: Form): Refund {
  form.only('payment_intent', 'charge', 'amount', 'currency', 'reason', 'metadata', 'expand');
  const reason = form.text('reason');
  if (reason !== null && !['duplicate', 'fraudulent', 'requested_by_customer'].includes(reason)) {
    throw StripeRefusal.wrongParameter(
      'reason',
      'must be one of duplicate, fraudulent, or requested_by_customer',
    );
  }
  return addRefund(world, chargeOf(world, form), {
    amount: form.integer('amount'),
    reason: reason as Refund['reason'],
    metadata: form.table('metadata'),
  });
}

function chargeOf(world: World, form: Form): Charge {
  const intentId = form.text('payment_intent');
  if (intentId === null) return find(world, 'charges', form.needText('charge'), 'charge');
  const intent = find(world, 'paymentIntents', intentId, 'payment_intent');
  const charge = world.state.stripe.charges[idOf(intent.latest_charge) ?? ''];
  if (charge?.status === 'succeeded') return charge;
  throw StripeRefusal.wrongState(
    `This PaymentIntent (${intent.id}) does not have a successful charge to refund.`,
    'charge_not_refundable',
  );
}

/** Gives a payment back, the whole rest of it unless an amount is said. Bank accounts take a while. */
export function addRefund(world: World, charge: Charge, { amount, reason, metadata }: NewRefund): Refund {
  const left = charge.amount - charge.amount_refunded;
  if (charge.disputed) {
    throw StripeRefusal.wrongState(
      `Charge ${charge.id} has been charged back; cannot issue a refund.`,
      'charge_disputed',
    );
  }
  if (left === 0) {
    throw StripeRefusal.wrongState(
      `Charge ${charge.id} has already been refunded.`,
      'charge_already_refunded',
    );
  }
  const wanted = amount ?? left;
  if (wanted < 1)
    throw StripeRefusal.wrongParameter('amount', 'This value must be greater than or equal to 1.');
  if (wanted > left) {
    const message = `Refund amount (${wanted}) is greater than unrefunded amount on charge (${left})`;
    throw new StripeRefusal(400, { type: 'invalid_request_error', message, param: 'amount' });
  }
  const isSlow = charge.payment_method_details?.type === 'sepa_debit';
  const refund: Refund = {
    id: world.newId('re_'),
    object: 'refund',
    amount: wanted,
    balance_transaction: null,
    charge: charge.id,
    created: world.seconds(),
    currency: charge.currency,
    customer: idOf(charge.customer),
    customer_account: null,
    destination_details: isSlow
      ? { type: 'sepa_bank_transfer' }
      : {
          card: { reference_status: 'pending', reference_type: 'acquirer_reference_number', type: 'refund' },
          type: 'card',
        },
    metadata,
    payment_intent: idOf(charge.payment_intent),
    payment_method: charge.payment_method,
    reason,
    receipt_number: null,
    source_transfer_reversal: null,
    status: isSlow ? 'pending' : 'succeeded',
    transfer_reversal: null,
  };
  world.state.stripe.refunds[refund.id] = refund;
  charge.amount_refunded += wanted;
  charge.refunded = charge.amount_refunded === charge.amount;
  emit(world, 'refund.created', refund);
  emit(world, 'charge.refunded', charge, { amount_refunded: charge.amount_refunded - wanted });
  return refund;
}

/** What comes of a refund later: the bank has it, or sends it back, which leaves the payment as it was. */
export function endRefund(world: World, refund: Refund, outcome: 'succeeded' | 'failed'): Refund {
  if (refund.status === outcome || refund.status === 'failed') return refund;
  const previous = { status: refund.status };
  refund.status = outcome;
  if (outcome === 'failed') {
    refund.failure_reason = 'expired_or_canceled_card';
    const charge = find(world, 'charges', idOf(refund.charge) ?? '');
    charge.amount_refunded -= refund.amount;
    charge.refunded = false;
    emit(world, 'refund.failed', refund);
  }
  emit(world, 'refund.updated', refund, previous);
  emit(world, 'charge.refund.updated', refund, previous);
  return refund;
}

/** POST /v1/refunds/:id */
export function updateRefund(world: World, form: Form, id: string): Refund {
  form.only('metadata', 'expand');
  const refund = find(world, 'refunds', id);
  refund.metadata = mergeMetadata(refund.metadata ?? {}, form.table('metadata'));
  emit(world, 'refund.updated', refund);
  return refund;
}

/** GET /v1/refunds */
export function listRefunds(world: World, form: Form) {
  form.only(...listParameters, 'charge', 'payment_intent');
  const wanted = Object.values(world.state.stripe.refunds).filter(
    (refund) => fits(form, 'charge', refund.charge) && fits(form, 'payment_intent', refund.payment_intent),
  );
  return pageOf(wanted, form, '/v1/refunds');
}

/** GET /v1/charges */
export function listCharges(world: World, form: Form) {
  form.only(...listParameters, 'customer', 'payment_intent');
  const wanted = Object.values(world.state.stripe.charges).filter(
    (charge) =>
      fits(form, 'customer', charge.customer) && fits(form, 'payment_intent', charge.payment_intent),
  );
  return pageOf(wanted, form, '/v1/charges');
}
