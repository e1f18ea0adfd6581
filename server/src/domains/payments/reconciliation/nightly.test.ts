import { beforeEach, describe, expect, test } from 'vitest';
import { startTestService } from '../../../../test/harness/index.ts';
import { expectSound, post, readOwn } from '../../../../test/harness/movements.ts';
import { pay } from '../../../../test/harness/payments.ts';
import { createRefundingProvider } from '../../../../test/harness/refunds.ts';
import { addWalletHolder, connectAsOwner } from '../../../../test/harness/wallets.ts';
import { AppError } from '../../../errors.ts';
import type { PaymentProvider } from '../payment-provider.ts';
import { reconcilePayments } from './reconcile-payments.ts';

const [stripe, paypal] = [createRefundingProvider('stripe'), createRefundingProvider('paypal')];
const env = { CREDITS_DAILY_FREE: '0', CREDITS_SIGNUP_BONUS: '0' };
const service = await startTestService({ env, paymentProviders: [stripe, paypal] });
const owner = await connectAsOwner(service);
const day = 86_400_000;

/** From when on each provider was asked to list, as the job ran. */
const asked: Record<string, Date[]> = { stripe: [], paypal: [] };
for (const provider of [stripe, paypal]) {
  const list = provider.listFacts.bind(provider);
  provider.listFacts = (since) => {
    asked[provider.name]?.push(since);
    if (provider.failures.has('listFacts')) throw provider.failures.get('listFacts');
    return list(since);
  };
}

beforeEach(async () => {
  service.clock.advance({ days: 100 });
  await owner.query('delete from payments.reconciliations');
  for (const since of Object.values(asked)) since.length = 0;
});

async function runNightly(): Promise<void> {
  await service.ctx.db.asService((tx) => service.ctx.jobs.enqueue(tx, 'reconcile-payments', {}));
  await service.ctx.jobs.runDue();
}
const daysAgo = (days: number) => new Date(service.clock.now().getTime() - days * day);
/** Compares by hand, from so many days ago on. */
const compare = (days: number, more: Partial<Parameters<typeof reconcilePayments>[1]> = {}) =>
  reconcilePayments(service.ctx, { provider: stripe, since: daysAgo(days), repairs: true, ...more });
/** From how many days ago on the job asks Stripe now. */
async function askedFrom(): Promise<number> {
  asked.stripe = [];
  await runNightly();
  const [since] = asked.stripe;
  return (service.clock.now().getTime() - (since?.getTime() ?? Number.NaN)) / day;
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

describe('the nightly comparison begins', () => {
  test('thirty days ago where there was none, and three days before the last one then', async () => {
    expect(await askedFrom()).toBe(30);
    service.clock.advance({ days: 1 });
    expect(await askedFrom()).toBe(4);
  });

  const live = { ...stripe, isLive: true } satisfies PaymentProvider;
  test.each([
    ['a dry run', { repairs: false }],
    ['a run on an export', { listed: (async function* () {})() }],
    ['a run in the other mode', { provider: live }],
    ['a run at another provider', { provider: paypal }],
  ])('where it would have, whatever %s has looked at', async (_, more) => {
    await runNightly();
    service.clock.advance({ days: 10 });
    await compare(1, more);
    service.clock.advance({ hours: 12 });
    expect(await askedFrom()).toBe(13.5);
  });

  test('before the gap that a repairing run has left, until that is covered', async () => {
    await runNightly();
    service.clock.advance({ days: 10 });
    await compare(1);
    service.clock.advance({ days: 5 });
    await compare(2);
    expect(await askedFrom()).toBe(18);
    service.clock.advance({ days: 1 });
    expect(await askedFrom()).toBe(4);
  });

  test('from the last repairing run on where that has left no gap', async () => {
    await runNightly();
    service.clock.advance({ days: 10 });
    await compare(10);
    service.clock.advance({ days: 1 });
    expect(await askedFrom()).toBe(4);
  });

  test('thirty days ago where the first run of all looked at less', async () => {
    await compare(1);
    service.clock.advance({ days: 1 });
    expect(await askedFrom()).toBe(30);
    service.clock.advance({ days: 1 });
    expect(await askedFrom()).toBe(4);
  });
});
