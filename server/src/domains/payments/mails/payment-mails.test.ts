import { beforeEach, expect, test } from 'vitest';
import { deliverAll, recover, renew } from '../../../../test/harness/billing.ts';
import { startTestService } from '../../../../test/harness/index.ts';
import { post } from '../../../../test/harness/movements.ts';
import { createTestProvider, deliver, pay, refundOf } from '../../../../test/harness/payments.ts';
import { makePlan, startBilledService, subscribe } from '../../../../test/harness/plans.ts';
import { addWalletHolder, connectAsOwner, type WalletHolder } from '../../../../test/harness/wallets.ts';

const provider = createTestProvider();
const service = await startTestService({
  env: { CREDITS_DAILY_FREE: '0', CREDITS_SIGNUP_BONUS: '0' },
  paymentProviders: [provider],
});
const owner = await connectAsOwner(service);
let holder: WalletHolder;

beforeEach(async () => {
  holder = await addWalletHolder(service);
});

const address = () => `${holder.userId}@example.com`;
const subjects = async () => (await service.mails(address())).map(({ subject }) => subject);
const tell = (...facts: Parameters<typeof provider.sign>[0]) =>
  deliver(service, provider, provider.sign(facts));

async function begin(): Promise<string> {
  const { body } = await post(service, holder, 'purchase', { packageId: 'standard' });
  return `cs_${body.purchaseId}`;
}

test('a receipt is sent once, when the credits have arrived', async () => {
  const checkoutId = await begin();
  expect(await subjects()).toEqual([]);
  const paid = pay(provider, checkoutId);
  await Promise.all([tell(paid), tell(paid), tell(paid)]);
  await tell(paid);
  const [mail, ...others] = await service.mails(address());
  expect(others).toEqual([]);
  expect(mail?.subject).toBe('Your Obol receipt: 1,000 credits');
  expect(mail?.text).toContain(
    'We have received €10.00 for “Standard”, and 1,000 credits are in your wallet.',
  );
  expect(mail?.text).toContain(checkoutId.slice(3));
  expect(mail?.text).toContain('no real money has moved');
  expect(mail?.links).toContain(`${service.ctx.config.appUrl}/credits`);
});

test('a refund is told of when it is done, each once, in whatever order it is heard of', async () => {
  const checkoutId = await begin();
  const paid = pay(provider, checkoutId);
  const [first, second] = ['re_1', 're_2'].map((name) => ({ refundId: `${name}${checkoutId}` }));
  const paymentId = paid.paymentId as string;
  await tell(refundOf(paymentId, 300, 'succeeded', first));
  expect(await subjects()).toEqual([]);
  await tell(paid);
  await tell(refundOf(paymentId, 200, 'pending', second));
  await tell(refundOf(paymentId, 300, 'succeeded', first));
  expect((await subjects()).sort()).toEqual([
    'Your Obol receipt: 1,000 credits',
    'Your Obol refund of €3.00',
  ]);
  await tell(refundOf(paymentId, 200, 'succeeded', second));
  const [latest] = await service.mails(address());
  expect(latest?.text).toContain('We have sent back €2.00 of the €10.00 that you paid for “Standard”.');
  expect(await subjects()).toHaveLength(3);
});

test('a payment that failed is told of once, a checkout that was left is not', async () => {
  const [failing, left] = [await begin(), await begin()];
  await tell({ ...provider.checkouts.get(left)!, status: 'expired' });
  expect(await subjects()).toEqual([]);
  const failed = { ...provider.checkouts.get(failing)!, status: 'failed' as const };
  await tell(failed);
  await tell(failed);
  expect(await subjects()).toEqual(['Your payment to Obol did not go through']);
});

test('the job of a mail is there exactly when what it tells of is', async () => {
  const checkoutId = await begin();
  await owner.query('begin');
  await owner.query('lock table pgboss.job in exclusive mode');
  const telling = tell(pay(provider, checkoutId));
  await expect
    .poll(async () => {
      const { rows } = await owner.query(`select count(*)::integer as n from pg_locks where not granted`);
      return rows[0].n;
    })
    .toBeGreaterThan(0);
  await owner.query('rollback');
  await telling;
  const { rows } = await owner.query(
    `select (select count(*)::integer from pgboss.job where name = 'send-purchase-mail'
                and data->>'purchaseId' = $1) as jobs,
            (select status from credits.purchases where id = $1::uuid) as status`,
    [checkoutId.slice(3)],
  );
  expect(rows).toEqual([{ jobs: 1, status: 'completed' }]);
});

test('nobody is written to who is gone', async () => {
  const checkoutId = await begin();
  await tell(pay(provider, checkoutId));
  await owner.query('update credits.purchases set user_id = null where id = $1', [checkoutId.slice(3)]);
  expect(await service.mails()).toEqual(
    expect.not.arrayContaining([expect.objectContaining({ to: address() })]),
  );
});

test('a subscriber gets a receipt for each period, and is told each time that a bill could not be paid', async () => {
  const { service: billed, billing, admin } = await startBilledService('2026-01-15T10:00:00.000Z');
  await makePlan(billed, admin, 'plus');
  const person = await subscribe(billed, billing, 'plus');
  const heard = async () =>
    (await billed.mails(`${person.userId}@example.com`)).map(({ subject }) => subject).toReversed();
  expect(await heard()).toEqual(['Your Obol receipt: 1,000 credits']);
  billed.clock.set('2026-02-15T10:00:00.000Z');
  renew(billing, person.subscriptionId, { fails: true });
  await deliverAll(billed, billing, (events) => [...events, ...events]);
  expect((await heard()).slice(1)).toEqual(['The payment for your Obol plan failed']);
  billed.clock.advance({ hours: 1 });
  recover(billing, person.subscriptionId);
  await deliverAll(billed, billing);
  expect((await heard()).slice(2)).toEqual(['Your Obol receipt: 1,000 credits']);
});
