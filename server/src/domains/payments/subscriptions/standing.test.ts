import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  createShuffler,
  deliver,
  deliverAll,
  end,
  recover,
  renew,
  turnOf,
} from '../../../../test/harness/billing.ts';
import { expectSound, post, readOwn, spend } from '../../../../test/harness/movements.ts';
import {
  ask,
  countPurchases,
  makePlan,
  paidCredits,
  startBilledService,
  subscribe,
  type Subscriber,
} from '../../../../test/harness/plans.ts';
import type { ProviderEvent } from '../payment-provider.ts';

const start = '2027-01-30T08:00:00.000Z';
const { service, billing, admin } = await startBilledService(start);
await makePlan(service, admin, 'plus', { graceDays: 5 });
await makePlan(service, admin, 'saver', { rollover: 'all' });

let one: Subscriber;
beforeEach(async () => {
  service.clock.set(start);
  one = await subscribe(service, billing, 'plus');
});
afterEach(() => expectSound(service));

const standing = async (of = one) => {
  const { body } = await service.send('GET', '/api/v1/auth/me', { token: of.token });
  return `${body.subscriptionStatus} ${body.subscriptionTier}`;
};
const turn = (month: number) => service.clock.set(turnOf(new Date(start), 'month', month));

describe('a payment that fails', () => {
  test('leaves the plan for its days of grace, brings nothing, and once when it is made up for', async () => {
    turn(1);
    renew(billing, one.subscriptionId, { fails: true });
    await deliverAll(service, billing, createShuffler(1));
    expect(await standing()).toBe('past_due plus');
    service.clock.advance({ days: 4, hours: 23 });
    await service.ctx.jobs.runDue();
    expect(await standing()).toBe('past_due plus');
    expect(await paidCredits(service, one)).toBe(0);
    service.clock.advance({ hours: 2 });
    await runFollowing();
    expect(await standing()).toBe('past_due free');
    recover(billing, one.subscriptionId);
    await deliverAll(service, billing, createShuffler(2));
    expect(await standing()).toBe('active plus');
    expect(await paidCredits(service, one)).toBe(1000);
    expect(await countPurchases(service, one)).toEqual({ completed: 2, credits: 2000 });
    // The credits are of the period that was paid for, however late.
    turn(2);
    service.clock.advance({ days: 1 });
    expect(await paidCredits(service, one)).toBe(0);
  });

  test('and is made up for when its period is over brings credits for as long as a period takes', async () => {
    turn(1);
    renew(billing, one.subscriptionId, { fails: true });
    await deliverAll(service, billing);
    turn(2);
    service.clock.advance({ days: 2 });
    recover(billing, one.subscriptionId);
    await deliverAll(service, billing);
    service.clock.advance({ days: 27 });
    expect(await paidCredits(service, one)).toBe(1000);
    service.clock.advance({ days: 4 });
    expect(await paidCredits(service, one)).toBe(0);
  });
});

describe('a cancellation', () => {
  test('leaves everything until the period is over; then plan and credits end, carried ones too', async () => {
    const saver = await subscribe(service, billing, 'saver');
    turn(1);
    renew(billing, saver.subscriptionId);
    await deliverAll(service, billing);
    expect(await paidCredits(service, saver)).toBe(2000);
    const { status, body } = await ask(service, saver, 'DELETE');
    expect(status).toBe(200);
    expect(body).toMatchObject({ status: 'active', cancelsAtPeriodEnd: true });
    expect((await ask(service, saver, 'DELETE')).body).toMatchObject({ cancelsAtPeriodEnd: true });
    await deliverAll(service, billing);
    await spend(service, saver, 100);
    turn(2);
    service.clock.advance({ ms: -1 });
    expect([await paidCredits(service, saver), await standing(saver)]).toEqual([1900, 'active saver']);
    turn(2);
    end(billing, saver.subscriptionId);
    await deliverAll(service, billing, createShuffler(9));
    expect([await paidCredits(service, saver), await standing(saver)]).toEqual([0, 'ended free']);
    expect((await ask(service, saver, 'GET')).body).toMatchObject({ status: 'ended', nextPlan: null });
    for (const method of ['DELETE', 'PATCH']) {
      const answer = await ask(service, saver, method, method === 'PATCH' ? { planId: 'plus' } : undefined);
      expect(answer).toMatchObject({ status: 404, body: { code: 'payments.no_subscription' } });
    }
  });

  test('that is heard of late changes no answer about the past', async () => {
    const saver = await subscribe(service, billing, 'saver');
    turn(1);
    end(billing, saver.subscriptionId);
    service.clock.advance({ hours: 1 });
    const past = `balance-at?at=${service.clock.now().toISOString()}`;
    service.clock.advance({ hours: 1 });
    const before = await readOwn(service, saver, past);
    await deliverAll(service, billing);
    expect(await readOwn(service, saver, past)).toEqual(before);
    expect(await paidCredits(service, saver)).toBe(0);
  });

  test('ends what a refund returns later, too, though all of it had been spent', async () => {
    const saver = await subscribe(service, billing, 'saver');
    const { id } = await spend(service, saver, 1000);
    turn(1);
    end(billing, saver.subscriptionId);
    await deliverAll(service, billing);
    const refunded = await post(service, admin, 'refunds', { transactionId: id, reason: 'Cut off' });
    expect(refunded).toMatchObject({ status: 200, body: { transaction: { amount: 1000 } } });
    expect(await paidCredits(service, saver)).toBe(0);
  });

  test('can be taken back until then, once', async () => {
    expect((await resume()).body.code).toBe('payments.subscription_state');
    await ask(service, one, 'DELETE');
    expect((await ask(service, one, 'PATCH', { planId: 'saver' })).body.code).toBe(
      'payments.subscription_state',
    );
    expect((await resume()).body).toMatchObject({ status: 'active', cancelsAtPeriodEnd: false });
    await deliverAll(service, billing, createShuffler(4));
    expect((await ask(service, one, 'GET')).body).toMatchObject({ cancelsAtPeriodEnd: false });
    turn(1);
    renew(billing, one.subscriptionId);
    await deliverAll(service, billing);
    expect(await paidCredits(service, one)).toBe(1000);
  });

  test('its end is final, whichever news of before comes after it', async () => {
    billing.outbox.splice(0);
    await ask(service, one, 'DELETE');
    const before = billing.outbox.splice(0);
    turn(1);
    end(billing, one.subscriptionId);
    const [ending] = billing.outbox.splice(0);
    await deliver(service, ending as ProviderEvent);
    for (const event of before) expect((await deliver(service, event)).status).toBe(200);
    expect((await ask(service, one, 'GET')).body).toMatchObject({
      status: 'ended',
      endedAt: turnOf(new Date(start), 'month', 1).toISOString(),
    });
  });
});

test('whoever has ended begins anew, and both stay in the books', async () => {
  turn(1);
  end(billing, one.subscriptionId);
  await deliverAll(service, billing);
  const again = await subscribe(service, billing, 'saver', one);
  expect(again.subscriptionId).not.toBe(one.subscriptionId);
  expect(await standing()).toBe('active saver');
  expect(await countPurchases(service, one)).toEqual({ completed: 2, credits: 2000 });
});

test('of what nothing is heard when it should be renewed the provider is asked', async () => {
  turn(1);
  renew(billing, one.subscriptionId);
  const bills = billing.outbox.splice(0).filter(({ type }) => type.startsWith('invoice'));
  service.clock.advance({ hours: 4 });
  billing.calls.splice(0);
  await runFollowing();
  expect(billing.calls).toContain(`read sub_${one.subscriptionId}`);
  expect((await ask(service, one, 'GET')).body).toMatchObject({
    periodEnd: turnOf(new Date(start), 'month', 2).toISOString(),
  });
  billing.calls.splice(0);
  await runFollowing();
  expect(billing.calls).toEqual([]);
  billing.outbox.push(...bills);
  await deliverAll(service, billing);
  expect(await paidCredits(service, one)).toBe(1000);
});

const resume = () => ask(service, one, 'POST', undefined, '/resume');

/** Runs what the timetable would. */
async function runFollowing(): Promise<void> {
  await service.ctx.db.asService((tx) => service.ctx.jobs.enqueue(tx, 'follow-subscriptions', {}));
  await service.ctx.jobs.runDue();
}
