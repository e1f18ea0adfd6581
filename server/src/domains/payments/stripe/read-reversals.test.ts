import { describe, expect, test } from 'vitest';
import { readAtNoon as read } from '../../../../test/harness/stripe-events.ts';

const refundRequestId = '0195f0a0-0000-7000-8000-000000000003';

const dispute = (status: string) => ({
  id: 'du_1',
  object: 'dispute',
  status,
  amount: 1000,
  currency: 'eur',
  payment_intent: 'pi_1',
  charge: 'ch_1',
});

describe('money on its way back', () => {
  const refund = (changes: object = {}) => ({
    id: 're_1',
    object: 'refund',
    status: 'succeeded',
    amount: 250,
    currency: 'eur',
    payment_intent: 'pi_1',
    charge: 'ch_1',
    metadata: { obol_refund_request_id: refundRequestId },
    ...changes,
  });
  const fact = {
    kind: 'refund',
    refundId: 're_1',
    paymentId: 'pi_1',
    refundRequestId,
    status: 'succeeded',
    amountCents: 250,
    currency: 'EUR',
  };

  test.each([
    ['refund.created', 'pending', 'pending'],
    ['refund.created', 'requires_action', 'pending'],
    ['refund.created', null, 'pending'],
    ['refund.updated', 'succeeded', 'succeeded'],
    ['charge.refund.updated', 'succeeded', 'succeeded'],
    ['refund.failed', 'failed', 'failed'],
    ['refund.updated', 'canceled', 'failed'],
  ])('%s that is %s', (type, status, expected) => {
    expect(read(type, refund({ status })).facts).toEqual([{ ...fact, status: expected }]);
  });

  test('is of the charge where there is no payment intent, and of nothing without either', () => {
    expect(read('refund.created', refund({ payment_intent: null })).facts).toMatchObject([
      { paymentId: 'ch_1' },
    ]);
    expect(read('refund.created', refund({ payment_intent: null, charge: null })).facts).toEqual([]);
  });

  test('is in charge.refunded where Stripe sends the refunds along', () => {
    const charge = { id: 'ch_1', object: 'charge', payment_intent: 'pi_1' };
    const refunds = { object: 'list', data: [refund(), refund({ id: 're_2', amount: 100, metadata: {} })] };
    expect(read('charge.refunded', { ...charge, refunds }).facts).toEqual([
      fact,
      { ...fact, refundId: 're_2', amountCents: 100, refundRequestId: null },
    ]);
    expect(read('charge.refunded', charge).facts).toEqual([]);
  });

  test.each([
    ['charge.dispute.created', 'needs_response', 'open'],
    ['charge.dispute.updated', 'under_review', 'open'],
    ['charge.dispute.funds_withdrawn', 'needs_response', 'open'],
    ['charge.dispute.updated', 'appeal_under_review', 'open'],
    ['charge.dispute.closed', 'lost', 'lost'],
    ['charge.dispute.closed', 'won', 'won'],
    ['charge.dispute.funds_reinstated', 'won', 'won'],
    ['charge.dispute.created', 'prevented', 'won'],
  ])('%s that is %s', (type, status, expected) => {
    expect(read(type, dispute(status)).facts).toEqual([
      {
        kind: 'dispute',
        disputeId: 'du_1',
        paymentId: 'pi_1',
        status: expected,
        amountCents: 1000,
        currency: 'EUR',
      },
    ]);
  });

  test.each(['warning_needs_response', 'warning_under_review', 'warning_closed', 'a_state_of_tomorrow'])(
    'a dispute that is %s takes nothing',
    (status) => {
      expect(read('charge.dispute.updated', dispute(status)).facts).toEqual([]);
    },
  );

  test('a warning of a stolen card', () => {
    const warning = {
      id: 'issfr_1',
      object: 'radar.early_fraud_warning',
      actionable: true,
      fraud_type: 'made_with_stolen_card',
      payment_intent: 'pi_1',
      charge: 'ch_1',
    };
    expect(read('radar.early_fraud_warning.created', warning).facts).toEqual([
      {
        kind: 'fraud_warning',
        warningId: 'issfr_1',
        paymentId: 'pi_1',
        reason: 'made_with_stolen_card',
        isActionable: true,
      },
    ]);
  });
});
