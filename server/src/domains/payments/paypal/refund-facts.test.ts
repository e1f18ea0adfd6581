import { describe, expect, test } from 'vitest';
import { eur, readEvents, refund, refundRequestId, sale } from '../../../../test/harness/paypal-samples.ts';

describe('money on its way back', () => {
  const fact = {
    kind: 'refund',
    refundId: '1JU08902781691411',
    paymentId: '2GG279541U471931P',
    refundRequestId: null,
    status: 'succeeded',
    amountCents: 400,
    currency: 'EUR',
  };

  test('is a refund, of ours when it bears our mark', async () => {
    const { read } = readEvents();
    expect(await read('PAYMENT.CAPTURE.REFUNDED', refund())).toEqual([fact]);
    const own = refund({ custom_id: `refund:${refundRequestId}` });
    expect(await read('PAYMENT.CAPTURE.REFUNDED', own)).toEqual([{ ...fact, refundRequestId }]);
    const pending = refund({ status: 'PENDING' });
    expect(await read('PAYMENT.REFUND.PENDING', pending)).toEqual([{ ...fact, status: 'pending' }]);
    const failed = refund({ status: 'FAILED' });
    expect(await read('PAYMENT.REFUND.FAILED', failed)).toEqual([{ ...fact, status: 'failed' }]);
    const nothing = refund({ links: [] });
    await expect(read('PAYMENT.CAPTURE.REFUNDED', nothing)).rejects.toMatchObject({
      code: 'request.invalid',
    });
  });

  test('is a refund of a payment for a subscription', async () => {
    const { read } = readEvents();
    const refunded = {
      id: '6YX43824R4443062K',
      sale_id: '44P499886K055384U',
      state: 'completed',
      amount: { total: '-9.00', currency: 'EUR' },
    };
    expect(await read('PAYMENT.SALE.REFUNDED', refunded)).toEqual([
      { ...fact, refundId: '6YX43824R4443062K', paymentId: '44P499886K055384U', amountCents: 900 },
    ]);
  });

  test('that PayPal takes back is lost, and told apart from the case about it', async () => {
    const { read } = readEvents();
    const [reversal] = await read('PAYMENT.CAPTURE.REVERSED', refund({ amount: eur('-10.00') }));
    expect(reversal).toEqual({
      kind: 'dispute',
      disputeId: 'reversal:2GG279541U471931P',
      paymentId: '2GG279541U471931P',
      status: 'lost',
      amountCents: 1000,
      currency: 'EUR',
      asOf: '2026-03-01T12:00:00.000Z',
    });
    const dispute = {
      dispute_id: 'PP-D-4012',
      disputed_transactions: [{ seller_transaction_id: '2GG279541U471931P' }],
      status: 'WAITING_FOR_SELLER_RESPONSE',
      dispute_amount: eur('10.00'),
    };
    const open = { ...reversal, disputeId: 'PP-D-4012', status: 'open' };
    expect(await read('CUSTOMER.DISPUTE.CREATED', dispute)).toEqual([open]);
    const changed = { ...dispute, update_time: '2026-02-28T08:00:00.000Z' };
    expect(await read('CUSTOMER.DISPUTE.UPDATED', changed)).toEqual([
      { ...open, asOf: '2026-02-28T08:00:00.000Z' },
    ]);
    const [sold] = await read('PAYMENT.SALE.REVERSED', {
      ...sale(),
      amount: { total: '-9.00', currency: 'EUR' },
    });
    expect(sold).toMatchObject({ paymentId: '44P499886K055384U', amountCents: 900 });
  });

  test.each([
    ['RESOLVED_BUYER_FAVOUR', 'lost'],
    ['ACCEPTED', 'lost'],
    ['RESOLVED_SELLER_FAVOUR', 'won'],
    ['RESOLVED_WITH_PAYOUT', 'won'],
    ['CANCELED_BY_BUYER', 'won'],
    ['DENIED', 'won'],
    ['SOMETHING_NEW', 'open'],
  ])('in a case that ends as %s is %s', async (outcome_code, status) => {
    const { read } = readEvents();
    const dispute = {
      dispute_id: 'PP-D-4012',
      disputed_transactions: [{ seller_transaction_id: '2GG279541U471931P' }],
      status: 'RESOLVED',
      dispute_outcome: { outcome_code },
      dispute_amount: eur('10.00'),
    };
    const [fact] = await read('CUSTOMER.DISPUTE.RESOLVED', dispute);
    expect(fact).toMatchObject({ disputeId: 'PP-D-4012', status });
  });

  test('in a case about several payments is told of each', async () => {
    const { read } = readEvents();
    const dispute = {
      dispute_id: 'PP-D-4012',
      disputed_transactions: [
        { seller_transaction_id: 'A', gross_amount: eur('10.00') },
        { seller_transaction_id: 'B', gross_amount: eur('5.00') },
      ],
      status: 'OPEN',
      dispute_amount: eur('15.00'),
    };
    const facts = await read('CUSTOMER.DISPUTE.UPDATED', dispute);
    expect(facts.filter((fact) => 'status' in fact && fact.status === 'open')).toMatchObject([
      { disputeId: 'PP-D-4012', paymentId: 'A', amountCents: 1000 },
      { disputeId: 'PP-D-4012/B', paymentId: 'B', amountCents: 500 },
    ]);
  });
});
