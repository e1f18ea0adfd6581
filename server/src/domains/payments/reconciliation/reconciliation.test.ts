import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { startTestService } from '../../../../test/harness/index.ts';
import { addAdministrator, expectSound, post, readOwn, spend } from '../../../../test/harness/movements.ts';
import { deliver, disputeOf, pay, refundOf } from '../../../../test/harness/payments.ts';
import { createRefundingProvider } from '../../../../test/harness/refunds.ts';
import { addWalletHolder, connectAsOwner, type WalletHolder } from '../../../../test/harness/wallets.ts';
import type { Fact } from '../facts.ts';
import { readExport } from './read-export.ts';
import { reconcilePayments } from './reconcile-payments.ts';
import { countOpen } from './report.ts';

const provider = createRefundingProvider();
const service = await startTestService({
  env: { CREDITS_DAILY_FREE: '0', CREDITS_SIGNUP_BONUS: '0' },
  paymentProviders: [provider],
});
const owner = await connectAsOwner(service);
const admin = await addAdministrator(service);
const since = new Date('2026-02-20T00:00:00.000Z');
const asOf = new Date('2026-03-01T12:00:00.000Z');
let holder: WalletHolder;

beforeEach(async () => {
  holder = await addWalletHolder(service);
});
afterEach(() => expectSound(service));

const tell = (...facts: Fact[]) => deliver(service, provider, provider.sign(facts));
const purchase = (id: string) => readOwn(service, holder, `purchase/${id}`);
const run = (repairs: boolean) => reconcilePayments(service.ctx, { provider, since, repairs });
/** A purchase that is paid at the provider, of which nothing has been told here. */
async function payUnheard() {
  const { body } = await post(service, holder, 'purchase', { packageId: 'standard' });
  return pay(provider, `cs_${body.purchaseId}`);
}
async function buy() {
  const paid = await payUnheard();
  await tell(paid);
  return paid;
}
const statuses = async (id: string | null) => {
  const { rows } = await owner.query('select status, posted_credits from credits.purchases where id = $1', [
    id,
  ]);
  return rows[0];
};

describe('a comparison', () => {
  test('finds lost webhooks, what is only theirs, only ours, and what differs, and repairs what is safe', async () => {
    const sound = await buy();
    const lost = await payUnheard();
    const lostRefund = await buy();
    provider.others.push(refundOf(lostRefund.paymentId ?? '', 400));
    const foreign: Fact = { ...sound, checkoutId: 'cs_foreign', purchaseId: null, paymentId: 'pi_foreign' };
    provider.others.push(foreign);
    const onlyTheirs: Fact = {
      ...sound,
      checkoutId: 'cs_theirs',
      purchaseId: randomUUID(),
      paymentId: 'pi_theirs',
    };
    provider.others.push(onlyTheirs);
    const onlyOurs = await buy();
    provider.checkouts.delete(onlyOurs.checkoutId);
    const differing = await buy();
    provider.checkouts.set(differing.checkoutId, { ...differing, amountCents: 999 });

    const dry = await run(false);
    const found = (report: typeof dry) =>
      report.findings.map(({ list, kind, id, reason, isSafe, isRepaired }) => ({
        list,
        kind,
        id,
        reason,
        isSafe,
        isRepaired,
      }));
    const left = [
      {
        list: 'onlyTheirs',
        kind: 'checkout',
        id: 'cs_theirs',
        reason: 'no_purchase',
        isSafe: false,
        isRepaired: false,
      },
      {
        list: 'onlyOurs',
        kind: 'checkout',
        id: onlyOurs.checkoutId,
        reason: 'not_listed',
        isSafe: false,
        isRepaired: false,
      },
      {
        list: 'differing',
        kind: 'checkout',
        id: differing.checkoutId,
        reason: 'wrong_amount',
        isSafe: false,
        isRepaired: false,
      },
    ];
    const safe = [
      {
        list: 'differing',
        kind: 'checkout',
        id: lost.checkoutId,
        reason: 'behind',
        isSafe: true,
        isRepaired: false,
      },
      {
        list: 'onlyTheirs',
        kind: 'refund',
        id: `re_${lostRefund.paymentId}`,
        reason: 'not_heard_of',
        isSafe: true,
        isRepaired: false,
      },
    ];
    expect(found(dry)).toHaveLength(5);
    expect(found(dry)).toEqual(expect.arrayContaining([...left, ...safe]));
    expect(dry).toMatchObject({ onlyTheirs: 2, onlyOurs: 1, differing: 2, repaired: 0, unrelated: 1 });
    expect(dry.matched).toBeGreaterThanOrEqual(2);
    // Nothing was changed.
    expect(await statuses(lost.purchaseId)).toEqual({ status: 'pending', posted_credits: '0' });

    const repairing = await run(true);
    expect(repairing).toMatchObject({ onlyTheirs: 2, onlyOurs: 1, differing: 2, repaired: 2 });
    const repaired = safe.map((finding) => ({ ...finding, isRepaired: true }));
    expect(found(repairing)).toEqual(expect.arrayContaining([...left, ...repaired]));
    expect(await statuses(lost.purchaseId)).toEqual({ status: 'completed', posted_credits: '1000' });
    expect(await statuses(lostRefund.purchaseId)).toEqual({ status: 'completed', posted_credits: '600' });

    // What only a person can decide is still there; what was repaired is not found again.
    const second = await run(true);
    expect(found(second)).toEqual(expect.arrayContaining(left));
    expect(second).toMatchObject({ onlyTheirs: 1, onlyOurs: 1, differing: 1, repaired: 0 });
    expect(countOpen(second)).toBe(3);

    // Once somebody has cleared that up at the provider, a run is clean.
    provider.others.splice(provider.others.indexOf(onlyTheirs), 1);
    provider.checkouts.set(onlyOurs.checkoutId, onlyOurs);
    provider.checkouts.set(differing.checkoutId, differing);
    const clean = await run(true);
    expect(found(clean)).toEqual([]);
    expect(clean).toMatchObject({ onlyTheirs: 0, onlyOurs: 0, differing: 0, repaired: 0, unrelated: 1 });
  });

  test('asks for a payment by its id before it calls it missing', async () => {
    const paid = await buy();
    provider.hidden.add(paid.checkoutId);
    expect(countOpen(await run(false))).toBe(0);
    provider.hidden.clear();
  });

  test('finds a refund, a dispute and credits that the provider knows nothing of', async () => {
    const { paymentId, purchaseId } = await buy();
    await tell(refundOf(paymentId ?? '', 100), disputeOf(paymentId ?? '', 200));
    await owner.query(`delete from payments.checkouts where opened_for = $1`, [purchaseId]);
    provider.checkouts.delete(`cs_${purchaseId}`);
    const { findings } = await run(false);
    expect(findings.map(({ kind, reason, list }) => `${list} ${kind} ${reason}`).toSorted()).toEqual([
      'onlyOurs dispute not_listed',
      'onlyOurs purchase no_payment',
      'onlyOurs refund not_listed',
    ]);
    await owner.query(
      `update credits.purchases set created_at = created_at - interval '1 year' where id = $1`,
      [purchaseId],
    );
    await owner.query(`update payments.refunds set updated_at = updated_at - interval '1 year'`);
    await owner.query(`update payments.disputes set updated_at = updated_at - interval '1 year'`);
  });

  test('posts what the ledger should hold and does not', async () => {
    const { purchaseId, paymentId } = await buy();
    // A dispute that was won, as if the service had died before it was settled.
    await tell(disputeOf(paymentId ?? '', 1000));
    await owner.query(`update payments.disputes set status = 'won' where payment_id = $1`, [paymentId]);
    provider.others.push(disputeOf(paymentId ?? '', 1000, 'won'));
    const { findings } = await run(true);
    expect(findings.length).toBeGreaterThan(0);
    expect(findings.every(({ reason, isRepaired }) => reason === 'unsettled' && isRepaired)).toBe(true);
    expect(await statuses(purchaseId)).toMatchObject({ posted_credits: '1000' });
  });
});

describe('the job', () => {
  test('keeps and mails what is left, notes it in the trail, and counts it', async () => {
    const foreign: Fact = {
      ...(await buy()),
      checkoutId: 'cs_x',
      purchaseId: randomUUID(),
      paymentId: 'pi_x',
    };
    provider.others.push(foreign);
    const lost = await payUnheard();
    await service.ctx.db.asService((tx) => service.ctx.jobs.enqueue(tx, 'reconcile-payments', {}));
    const [mail] = await service.mails(`${admin.userId}@example.com`);
    expect(mail).toMatchObject({ subject: expect.stringContaining('Stripe and the ledger do not agree') });
    expect(await purchase(lost.purchaseId ?? '')).toMatchObject({ status: 'completed' });
    const { body } = await service.send('GET', '/api/v1/payments/reconciliations?limit=1', {
      token: admin.token,
    });
    expect(body).toMatchObject([
      { provider: 'stripe', source: 'provider', hasRepaired: true, onlyTheirs: 1, repaired: 1, open: 1 },
    ]);
    const metrics = await service.ctx.metrics.registry.metrics();
    expect(metrics).toMatch(/obol_payments_unreconciled 1\n/);
    const { rows } = await owner.query(
      `select details from audit.events where action = 'payments.reconciled' order by created_at desc, id desc limit 1`,
    );
    expect(rows).toMatchObject([{ details: { open: 1, repaired: 1, provider: 'stripe' } }]);
    provider.others.length = 0;
  });
});

describe('disputes', () => {
  test('take the credits back when they open, give them back when won, in any order', async () => {
    const orders = [
      ['open', 'won'],
      ['won', 'open'],
      ['open', 'lost'],
      ['lost', 'open'],
      ['open', 'lost', 'won'],
    ] as const;
    for (const order of orders) {
      const { purchaseId, paymentId } = await buy();
      for (const status of order) await tell(disputeOf(paymentId ?? '', 1000, status));
      const isWon = (order as readonly string[]).includes('won');
      expect((await purchase(purchaseId ?? '')).creditsReceived).toBe(isWon ? 1000 : 0);
    }
  });

  test('are told to administrators once, and what became of them', async () => {
    const { purchaseId, paymentId } = await buy();
    await spend(service, holder, 400);
    await service.ctx.db.asService((tx) => service.ctx.jobs.enqueue(tx, 'announce-disputes', {}));
    const before = (await service.mails(`${admin.userId}@example.com`)).length;
    await tell(disputeOf(paymentId ?? '', 1000));
    for (const times of [1, 2]) {
      await service.ctx.db.asService((tx) => service.ctx.jobs.enqueue(tx, 'announce-disputes', {}));
      const mails = await service.mails(`${admin.userId}@example.com`);
      expect(mails.length, `run ${times}`).toBe(before + 1);
      expect(mails[0]?.text).toContain('The wallet owes 400 credits now');
    }
    const list = await service.send('GET', '/api/v1/payments/disputes?status=open&limit=200', {
      token: admin.token,
    });
    expect(list.body).toContainEqual(
      expect.objectContaining({ purchaseId, status: 'open', credits: 1000, creditsLeft: 0, walletDebt: 400 }),
    );
    await tell(disputeOf(paymentId ?? '', 1000, 'won'));
    await service.ctx.db.asService((tx) => service.ctx.jobs.enqueue(tx, 'announce-disputes', {}));
    expect((await service.mails(`${admin.userId}@example.com`))[0]?.subject).toContain('a dispute was won');
    expect(await readOwn(service, holder, 'balance')).toMatchObject({ available: 600 });
  });
});

describe('an export', () => {
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
        listed: readExport(provider, linesOf(...lines), asOf),
      });
    service.clock.advance({ days: 1 });
    expect(await compare(false)).toMatchObject({ source: 'export', onlyTheirs: 1, differing: 1 });
    expect(await compare(true)).toMatchObject({ repaired: 2 });
    expect(await compare(false)).toMatchObject({ onlyTheirs: 0, differing: 0, matched: 2 });
    expect(await purchase(body.purchaseId)).toMatchObject({ status: 'completed', creditsReceived: 750 });
    expect(provider.calls).toEqual([]);
  });

  test('names the line that cannot be read', async () => {
    const read = async (...lines: unknown[]) => {
      for await (const facts of readExport(provider, linesOf(...lines), asOf)) expect(facts).toBeDefined();
    };
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
    for await (const page of readExport({ name: 'paypal', isLive: false }, lines, asOf)) facts.push(...page);
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
});
