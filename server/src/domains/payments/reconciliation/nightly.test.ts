import { expect, test } from 'vitest';
import { startTestService } from '../../../../test/harness/index.ts';
import { expectSound, post, readOwn } from '../../../../test/harness/movements.ts';
import { pay } from '../../../../test/harness/payments.ts';
import { createRefundingProvider } from '../../../../test/harness/refunds.ts';
import { addWalletHolder, connectAsOwner } from '../../../../test/harness/wallets.ts';
import { AppError } from '../../../errors.ts';

const [stripe, paypal] = [createRefundingProvider('stripe'), createRefundingProvider('paypal')];
const env = { CREDITS_DAILY_FREE: '0', CREDITS_SIGNUP_BONUS: '0' };
const service = await startTestService({ env, paymentProviders: [stripe, paypal] });
const owner = await connectAsOwner(service);

const list = stripe.listFacts.bind(stripe);
stripe.listFacts = (since) => {
  if (stripe.failures.has('listFacts')) throw stripe.failures.get('listFacts');
  return list(since);
};

async function runNightly(): Promise<void> {
  await service.ctx.db.asService((tx) => service.ctx.jobs.enqueue(tx, 'reconcile-payments', {}));
  await service.ctx.jobs.runDue();
}

test('a provider that fails for good holds up no other, and the job is tried again', async () => {
  const holder = await addWalletHolder(service);
  stripe.failures.set('listFacts', new AppError('payments.provider_refused'));
  const { body } = await post(service, holder, 'purchase', { packageId: 'standard', provider: 'paypal' });
  pay(paypal, `cs_${body.purchaseId}`);
  // Of another purchase, and left to somebody.
  const { body: other } = await post(service, holder, 'purchase', {
    packageId: 'standard',
    provider: 'paypal',
  });
  pay(paypal, `cs_${other.purchaseId}`, { amountCents: 1 });
  await runNightly();
  stripe.failures.clear();
  expect(await readOwn(service, holder, `purchase/${body.purchaseId}`)).toMatchObject({
    status: 'completed',
  });
  expect(await service.ctx.metrics.registry.metrics()).toMatch(/obol_payments_unreconciled 1\n/);
  const { rows } = await owner.query(
    `select state from pgboss.job where name = 'reconcile-payments' order by created_on desc limit 1`,
  );
  expect(rows).toEqual([{ state: 'retry' }]);
  paypal.checkouts.delete(`cs_${other.purchaseId}`);
  await owner.query(`delete from pgboss.job where name = 'reconcile-payments'`);
  await expectSound(service);
});
