import { readFile } from 'node:fs/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { startTestService } from '../../../../test/harness/index.ts';
import { expectSound } from '../../../../test/harness/movements.ts';
import { createRefundingProvider, openRefundDesk } from '../../../../test/harness/refunds.ts';
import type { DisputeFact } from '../fact.ts';
import { reconcilePayments } from '../reconciliation/reconcile-payments.ts';

// What PayPal took back for a payment whose case was won since.

const provider = createRefundingProvider('paypal');
const service = await startTestService({
  env: { CREDITS_DAILY_FREE: '0', CREDITS_SIGNUP_BONUS: '0' },
  paymentProviders: [provider],
});
const desk = await openRefundDesk(service, provider);
const { owner, tell, buy, purchase, balance } = desk;

beforeEach(() => desk.reset());
afterEach(() => expectSound(service));

const caseOf = (paymentId: string): DisputeFact => ({
  kind: 'dispute',
  disputeId: `dp_${paymentId}`,
  paymentId,
  status: 'won',
  amountCents: 1000,
  currency: 'EUR',
});
const reversalOf = (paymentId: string, asOf: string): DisputeFact => ({
  ...caseOf(paymentId),
  disputeId: `reversal:${paymentId}`,
  status: 'lost',
  asOf,
});
const compare = () => {
  // PayPal lists what happened hours later.
  service.clock.advance({ hours: 5 });
  const since = new Date('2026-02-20T00:00:00.000Z');
  return reconcilePayments(service.ctx, { provider, since, repairs: true });
};
const listed = async (status: string, paymentId: string) => {
  const path = `/api/v1/payments/disputes?status=${status}&limit=200`;
  const { body } = await service.send('GET', path, { token: desk.admin.token });
  return body.filter((one: any) => one.paymentId === paymentId).map((one: any) => one.disputeId);
};

test('takes nothing away when it is listed only after the case was won, whenever that was heard of', async () => {
  const { id, paymentId } = await buy();
  // As it stood before it was noted when a case was decided.
  const won = caseOf(paymentId);
  await tell(won);
  const migration = await readFile(
    new URL('../../../db/migrations/0052_payments_order.sql', import.meta.url),
    'utf8',
  );
  await owner.query(/^update payments\.disputes d set told_at[^;]*;/m.exec(migration)?.[0] ?? 'missing');
  provider.others.push(won, reversalOf(paymentId, '2026-02-25T10:00:00.000Z'));
  await compare();
  expect((await purchase(id)).status).toBe('completed');
  expect(await balance()).toMatchObject({ available: 1000 });
});

test('is shown as won with its case, and is not missed in what the provider lists', async () => {
  const { paymentId } = await buy();
  const reversalId = `reversal:${paymentId}`;
  await tell(reversalOf(paymentId, '2026-02-25T10:00:00.000Z'));
  expect(await listed('lost', paymentId)).toEqual([reversalId]);
  expect((await compare()).findings.map(({ id }) => id)).toContain(reversalId);
  const won = { ...caseOf(paymentId), asOf: '2026-02-26T10:00:00.000Z' };
  await tell(won);
  expect(await listed('lost', paymentId)).toEqual([]);
  expect((await listed('won', paymentId)).toSorted()).toEqual([`dp_${paymentId}`, reversalId]);
  expect((await compare()).findings.map(({ id }) => id)).not.toContain(reversalId);
});
