import { randomUUID } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { startTestService } from '../../../../test/harness/index.ts';
import { post, readOwn } from '../../../../test/harness/movements.ts';
import { createRefundingProvider } from '../../../../test/harness/refunds.ts';
import { addWalletHolder } from '../../../../test/harness/wallets.ts';
import type { Fact } from '../fact.ts';
import { readExport } from './read-export.ts';
import { reconcilePayments } from './reconcile-payments.ts';

const provider = createRefundingProvider();
const service = await startTestService({
  env: { CREDITS_DAILY_FREE: '0', CREDITS_SIGNUP_BONUS: '0' },
  paymentProviders: [provider],
});
const holder = await addWalletHolder(service);
const merchantId = 'OBOLMERCHANT1';
const asOf = new Date('2026-03-01T12:00:00.000Z');

const session = (id: string, purchaseId: string, more: Record<string, unknown> = {}) => ({
  object: 'checkout.session',
  id,
  livemode: false,
  mode: 'payment',
  status: 'complete',
  payment_status: 'paid',
  payment_intent: `pi_${id}`,
  amount_subtotal: 1000,
  total_details: { amount_discount: 0 },
  amount_total: 1000,
  currency: 'eur',
  customer: null,
  metadata: { obol_purchase_id: purchaseId },
  ...more,
});
async function* linesOf(...objects: unknown[]) {
  for (const object of objects) yield typeof object === 'string' ? object : JSON.stringify(object);
}

const read = async (...lines: unknown[]) => {
  for await (const facts of readExport(provider, linesOf(...lines), { asOf, merchantId }))
    expect(facts).toBeDefined();
};

describe('an export', () => {
  test('of Stripe is compared and repaired from, asking nobody', async () => {
    const { body } = await post(service, holder, 'purchase', { packageId: 'standard' });
    const id = `cs_${body.purchaseId}`;
    const lines = [
      { object: 'list', data: [session(id, body.purchaseId)] },
      session('cs_live', body.purchaseId, { livemode: true }),
      { object: 'customer', id: 'cus_1', livemode: false },
      {
        object: 'refund',
        id: 're_export',
        status: 'succeeded',
        amount: 250,
        currency: 'eur',
        payment_intent: `pi_${id}`,
        charge: null,
        metadata: {},
      },
      '',
    ];
    provider.calls.length = 0;
    const compare = (repairs: boolean) =>
      reconcilePayments(service.ctx, {
        provider,
        since: service.clock.now(),
        repairs,
        listed: readExport(provider, linesOf(...lines), { asOf, merchantId }),
      });
    service.clock.advance({ days: 1 });
    expect(await compare(false)).toMatchObject({ source: 'export', onlyTheirs: 1, differing: 1 });
    expect(await compare(true)).toMatchObject({ repaired: 2 });
    expect(await compare(false)).toMatchObject({ onlyTheirs: 0, differing: 0, matched: 2 });
    expect(await readOwn(service, holder, `purchase/${body.purchaseId}`)).toMatchObject({
      status: 'completed',
      creditsReceived: 750,
    });
    expect(provider.calls).toEqual([]);
  });

  test('names the line that cannot be read', async () => {
    for (const line of ['not json', '5', '{}', '{"object":"refund","id":5}'])
      await expect(read({ object: 'customer' }, line)).rejects.toMatchObject({
        code: 'request.invalid',
        options: { detail: 'Line 2 is not an object of this provider.' },
      });
  });

  test('of PayPal says the same as its events', async () => {
    const purchaseId = randomUUID();
    const amount = { currency_code: 'EUR', value: '10.00' };
    const capture = {
      id: 'CAP1',
      status: 'COMPLETED',
      amount,
      custom_id: purchaseId,
      supplementary_data: { related_ids: { order_id: 'ORDER1' } },
    };
    const refund = {
      id: 'REF1',
      status: 'COMPLETED',
      amount: { currency_code: 'EUR', value: '2.50' },
      links: [{ rel: 'up', href: 'https://api-m.paypal.com/v2/payments/captures/CAP1' }],
    };
    const event = { event_type: 'PAYMENT.CAPTURE.COMPLETED', resource: capture };
    const facts: Fact[] = [];
    const lines = linesOf(capture, event, refund, { id: 'I-SUB', plan_id: 'P-1' });
    for await (const page of readExport({ name: 'paypal', isLive: false }, lines, { asOf, merchantId }))
      facts.push(...page);
    expect(facts).toMatchObject([
      {
        kind: 'checkout',
        checkoutId: 'ORDER1',
        paymentId: 'CAP1',
        purchaseId,
        status: 'paid',
        amountCents: 1000,
      },
      { kind: 'checkout', checkoutId: 'ORDER1' },
      { kind: 'refund', refundId: 'REF1', paymentId: 'CAP1', amountCents: 250, status: 'succeeded' },
    ]);
  });

  test('of PayPal says nothing of what is paid to somebody else', async () => {
    const amount = { currency_code: 'EUR', value: '10.00' };
    const order = (id: string, payee?: object) => ({
      id,
      status: 'COMPLETED',
      purchase_units: [{ amount, custom_id: randomUUID(), payee }],
    });
    const capture = (id: string, payee?: object) => ({
      id: `CAP${id}`,
      status: 'COMPLETED',
      amount,
      payee,
      supplementary_data: { related_ids: { order_id: id } },
    });
    const [ours, theirs] = [{ merchant_id: merchantId }, { merchant_id: 'MALLORY000001' }];
    const objects = [
      order('SILENT'),
      order('OURS', ours),
      order('THEIRS', theirs),
      capture('SILENT'),
      capture('OURS', ours),
      capture('THEIRS', theirs),
      { event_type: 'PAYMENT.CAPTURE.COMPLETED', resource: capture('THEIRS', theirs) },
    ];
    const read = async (account: string) => {
      const ids: string[] = [];
      const options = { asOf, merchantId: account };
      for await (const page of readExport({ name: 'paypal', isLive: false }, linesOf(...objects), options))
        for (const fact of page) if (fact.kind === 'checkout') ids.push(fact.checkoutId);
      return ids;
    };
    expect(await read(merchantId)).toEqual(['SILENT', 'OURS', 'SILENT', 'OURS']);
    // Nobody can be told apart while nobody has said who we are.
    expect(await read('')).toHaveLength(objects.length);
  });
});
