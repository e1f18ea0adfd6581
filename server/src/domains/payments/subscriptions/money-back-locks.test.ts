import { randomUUID } from 'node:crypto';
import { afterEach, expect, test } from 'vitest';
import { deliver } from '../../../../test/harness/billing.ts';
import { untilSomebodyWaits } from '../../../../test/harness/locks.ts';
import { expectSound } from '../../../../test/harness/movements.ts';
import { ask, makePlan, startBilledService, subscribe } from '../../../../test/harness/plans.ts';
import { addWalletHolder, connectAsOwner } from '../../../../test/harness/wallets.ts';
import { pay } from '../../../../test/harness/billing.ts';
import type { Fact } from '../fact.ts';

// Two processes that hear of one payment at the same time.

const { service, billing, admin } = await startBilledService('2027-04-01T00:00:00.000Z');
await makePlan(service, admin, 'small');
const [owner, other] = [await connectAsOwner(service), await connectAsOwner(service)];
afterEach(() => expectSound(service));

const told = (facts: Fact[]) => JSON.stringify([{ provider: 'stripe', isLive: false, isOwn: false, facts }]);
const tell = (facts: Fact[], payload = {}) =>
  deliver(service, {
    id: randomUUID(),
    type: 'x',
    createdAt: service.clock.now(),
    isLive: false,
    payload,
    facts,
  });
const refundOf = (paymentId: string): Fact => ({
  kind: 'refund',
  refundId: `re_${paymentId}`,
  paymentId,
  refundRequestId: null,
  status: 'succeeded',
  amountCents: 1000,
  currency: 'EUR',
});

test('a refund that is told while its bill is being written down takes the plan along', async () => {
  const holder = await addWalletHolder(service);
  const { body } = await ask(service, holder, 'POST', { planId: 'small' });
  pay(billing, body.subscriptionId);
  const events = billing.outbox.splice(0);
  const bill = billing.billed.at(-1)?.invoices.at(-1);
  await other.query('begin');
  await other.query('select payments.apply_facts($1, $2, 0, 0)', [
    told(events.flatMap(({ facts }) => facts)),
    service.clock.now(),
  ]);
  const answer = tell([refundOf(bill?.paymentId ?? '')]);
  await untilSomebodyWaits(owner);
  await other.query('commit');
  expect((await answer).status).toBe(200);
  const { body: me } = await service.send('GET', '/api/v1/auth/me', { token: holder.token });
  expect([me.subscriptionStatus, me.subscriptionTier]).toEqual(['ended', 'free']);
});

test('whoever tells of money that went back waits for its subscription before anything else', async () => {
  const one = await subscribe(service, billing, 'small');
  const bill = billing.billed.at(-1)?.invoices.at(-1);
  const checkout: Fact = {
    kind: 'checkout',
    checkoutId: bill?.invoiceId ?? '',
    purchaseId: null,
    paymentId: bill?.paymentId ?? null,
    status: 'paid',
    amountCents: 1000,
    currency: 'EUR',
    customerId: null,
  };
  await other.query('begin');
  await other.query('select from payments.subscriptions where id = $1 for no key update', [
    one.subscriptionId,
  ]);
  const answer = tell([checkout, refundOf(bill?.paymentId ?? '')]);
  await untilSomebodyWaits(owner);
  const { rows } = await other.query(
    'select checkout_id from payments.checkouts where checkout_id = $1 for no key update nowait',
    [checkout.checkoutId],
  );
  expect(rows).toHaveLength(1);
  await other.query('commit');
  expect((await answer).status).toBe(200);
});
