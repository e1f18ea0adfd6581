import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { startTestService } from '../../../../test/harness/index.ts';
import { addAdministrator, expectSound, post, readOwn } from '../../../../test/harness/movements.ts';
import { deliver, disputeOf, pay, refundOf } from '../../../../test/harness/payments.ts';
import { createRefundingProvider } from '../../../../test/harness/refunds.ts';
import { addWalletHolder, connectAsOwner, type WalletHolder } from '../../../../test/harness/wallets.ts';
import type { Fact } from '../facts.ts';
import { reconcilePayments } from './reconcile-payments.ts';
import { countOpen, type Finding, type ReconciliationReport } from './count-open.ts';

const provider = createRefundingProvider();
const service = await startTestService({
  env: { CREDITS_DAILY_FREE: '0', CREDITS_SIGNUP_BONUS: '0' },
  paymentProviders: [provider],
});
const owner = await connectAsOwner(service);
const admin = await addAdministrator(service);
const since = new Date('2026-02-20T00:00:00.000Z');
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

/** One of each: sound, a lost webhook, a lost refund, foreign, only theirs, only ours, of another amount. */
async function injectAll() {
  const sound = await buy();
  const lost = await payUnheard();
  const lostRefund = await buy();
  provider.others.push(refundOf(lostRefund.paymentId ?? '', 400));
  const foreign: Fact = { ...sound, checkoutId: 'cs_foreign', purchaseId: null, paymentId: 'pi_foreign' };
  const theirs = { checkoutId: 'cs_theirs', purchaseId: randomUUID(), paymentId: 'pi_theirs' };
  const onlyTheirs: Fact = { ...sound, ...theirs };
  provider.others.push(foreign, onlyTheirs);
  const onlyOurs = await buy();
  provider.checkouts.delete(onlyOurs.checkoutId);
  const differing = await buy();
  provider.checkouts.set(differing.checkoutId, { ...differing, amountCents: 999 });
  return { lost, lostRefund, onlyTheirs, onlyOurs, differing };
}

const found = (list: string, id: string, reason: string, more: Partial<Finding> = {}) => ({
  list,
  kind: 'checkout',
  id,
  reason,
  isSafe: false,
  isRepaired: false,
  ...more,
});
const inBrief = ({ findings }: ReconciliationReport) =>
  findings.map(({ list, kind, id, reason, isSafe, isRepaired }) => ({
    list,
    kind,
    id,
    reason,
    isSafe,
    isRepaired,
  }));

describe('a comparison', () => {
  test('finds lost webhooks, what is only theirs, only ours, and what differs, and repairs what is safe', async () => {
    const { lost, lostRefund, onlyTheirs, onlyOurs, differing } = await injectAll();
    const left = [
      found('onlyTheirs', 'cs_theirs', 'no_purchase'),
      found('onlyOurs', onlyOurs.checkoutId, 'not_listed'),
      found('differing', differing.checkoutId, 'wrong_amount'),
    ];
    const safe = [
      found('differing', lost.checkoutId, 'behind', { isSafe: true }),
      found('onlyTheirs', `re_${lostRefund.paymentId}`, 'not_heard_of', { isSafe: true, kind: 'refund' }),
    ];
    const dry = await run(false);
    expect(inBrief(dry)).toHaveLength(5);
    expect(inBrief(dry)).toEqual(expect.arrayContaining([...left, ...safe]));
    expect(dry).toMatchObject({ onlyTheirs: 2, onlyOurs: 1, differing: 2, repaired: 0, unrelated: 1 });
    expect(dry.matched).toBeGreaterThanOrEqual(2);
    // Nothing was changed.
    expect(await statuses(lost.purchaseId)).toEqual({ status: 'pending', posted_credits: 0 });

    const repairing = await run(true);
    expect(repairing).toMatchObject({ onlyTheirs: 2, onlyOurs: 1, differing: 2, repaired: 2 });
    const repaired = safe.map((finding) => ({ ...finding, isRepaired: true }));
    expect(inBrief(repairing)).toEqual(expect.arrayContaining([...left, ...repaired]));
    expect(await statuses(lost.purchaseId)).toEqual({ status: 'completed', posted_credits: 1000 });
    expect(await statuses(lostRefund.purchaseId)).toEqual({ status: 'completed', posted_credits: 600 });

    // What only a person can decide is still there; what was repaired is not found again.
    const second = await run(true);
    expect(inBrief(second)).toEqual(expect.arrayContaining(left));
    expect(second).toMatchObject({ onlyTheirs: 1, onlyOurs: 1, differing: 1, repaired: 0 });
    expect(countOpen(second)).toBe(3);

    // Once somebody has cleared that up at the provider, a run is clean.
    provider.others.splice(provider.others.indexOf(onlyTheirs), 1);
    provider.checkouts.set(onlyOurs.checkoutId, onlyOurs);
    provider.checkouts.set(differing.checkoutId, differing);
    const clean = await run(true);
    expect(inBrief(clean)).toEqual([]);
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
    expect(await statuses(purchaseId)).toMatchObject({ posted_credits: 1000 });
  });
});

describe('the job', () => {
  test('keeps and mails what is left, notes it in the trail, and counts it', async () => {
    service.clock.advance({ minutes: 1 });
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
