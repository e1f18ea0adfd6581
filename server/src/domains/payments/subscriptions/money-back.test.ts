import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { deliver, deliverAll, end, renew, turnOf } from '../../../../test/harness/billing.ts';
import { expectSound, post, readOwn, spend } from '../../../../test/harness/movements.ts';
import {
  ask,
  makePlan,
  paidCredits,
  startBilledService,
  subscribe,
  type Subscriber,
} from '../../../../test/harness/plans.ts';
import { connectAsOwner } from '../../../../test/harness/wallets.ts';
import type { Fact } from '../fact.ts';

const start = '2027-04-01T00:00:00.000Z';
const { service, billing, admin } = await startBilledService(start);
await makePlan(service, admin, 'small', { graceDays: 5 });
await makePlan(service, admin, 'large', { priceCents: 2500, credits: 3000 });
await makePlan(service, admin, 'dear', { priceCents: 2500, credits: 1000 });
await makePlan(service, admin, 'yearly', { interval: 'year', priceCents: 10_000, credits: 12_000 });

const owner = await connectAsOwner(service);

let one: Subscriber;
beforeEach(async () => {
  service.clock.set(start);
  one = await subscribe(service, billing, 'small');
});
afterEach(() => expectSound(service));

const tell = (facts: Fact[]) =>
  deliver(service, {
    id: `evt_${randomUUID()}`,
    type: 'told',
    createdAt: service.clock.now(),
    isLive: false,
    payload: {},
    facts,
  });
const trySpend = (amount: number) =>
  post(service, one, 'use', { amount, appId: 'chat', description: 'Chat message' });
const runJob = async (name: 'follow-subscriptions' | 'announce-disputes') => {
  await service.ctx.db.asService((tx) => service.ctx.jobs.enqueue(tx, name, {}));
  await service.ctx.jobs.runDue();
};
const lastBill = () => billing.billed.at(-1)!.invoices.at(-1)!;
const money = { currency: 'EUR', amountCents: 1000 };
const refund = (more: Partial<Extract<Fact, { kind: 'refund' }>> = {}) =>
  tell([
    {
      kind: 'refund',
      refundId: `re_${randomUUID()}`,
      paymentId: lastBill().paymentId ?? '',
      refundRequestId: null,
      status: 'succeeded',
      ...money,
      ...more,
    },
  ]);
const dispute = (
  disputeId: string,
  status: 'open' | 'lost' | 'won',
  paymentId = lastBill().paymentId ?? '',
) => tell([{ kind: 'dispute', disputeId, paymentId, status, ...money }]);
const standing = async (of = one) => {
  const { body } = await service.send('GET', '/api/v1/auth/me', { token: of.token });
  return `${body.subscriptionStatus} ${body.subscriptionTier}`;
};
const turnTo = (turns: number, id = one.subscriptionId) => {
  service.clock.set(turnOf(new Date(start), 'month', turns));
  return renew(billing, id);
};

describe('a plan goes with the money that was paid for it', () => {
  test('at once, when its bill is refunded in full, until the next one is paid', async () => {
    expect(await standing()).toBe('active small');
    await refund();
    expect(await standing()).toBe('ended free');
    expect(await paidCredits(service, one)).toBe(0);
    turnTo(1);
    await deliverAll(service, billing);
    expect(await standing()).toBe('active small');
    expect(await paidCredits(service, one)).toBe(1000);
  });

  test('so that there is none to change until then', async () => {
    await refund();
    const calls = billing.calls.length;
    expect(await ask(service, one, 'PATCH', { planId: 'dear' })).toMatchObject({
      status: 409,
      body: { code: 'payments.subscription_state' },
    });
    expect(billing.calls.length).toBe(calls);
    turnTo(1);
    await deliverAll(service, billing);
    expect((await ask(service, one, 'PATCH', { planId: 'dear' })).status).toBe(200);
  });

  test('that of a year, too, and without days of grace behind what was paid before', async () => {
    one = await subscribe(service, billing, 'yearly');
    await refund({ amountCents: 10_000 });
    expect(await standing()).toBe('ended free');
    one = await subscribe(service, billing, 'small');
    turnTo(1);
    await deliverAll(service, billing);
    service.clock.advance({ days: 1 });
    await refund();
    expect(await standing()).toBe('ended free');
  });

  test('not when a part of it goes back, nor when the refund fails', async () => {
    await refund({ amountCents: 999 });
    expect(await standing()).toBe('active small');
    await refund({ refundId: 're_one', amountCents: 1, status: 'pending' });
    expect(await standing()).toBe('ended free');
    await refund({ refundId: 're_one', amountCents: 1, status: 'failed' });
    expect(await standing()).toBe('active small');
  });

  test('while a bank calls it back, and for good when that is lost', async () => {
    await dispute('dp_won', 'open');
    expect(await standing()).toBe('ended free');
    await dispute('dp_won', 'won');
    expect(await standing()).toBe('active small');
    await dispute('dp_lost', 'lost');
    expect(await standing()).toBe('ended free');
  });

  test('of a change back to the plan before, of the period with all changes in it', async () => {
    const [period] = billing.billed.at(-1)!.invoices;
    service.clock.advance({ days: 10 });
    await ask(service, one, 'PATCH', { planId: 'dear' });
    await deliverAll(service, billing);
    expect(await standing()).toBe('active dear');
    // This change brings no credits, so there is no purchase of it.
    await dispute('dp_change', 'open');
    expect(await standing()).toBe('active small');
    await dispute('dp_change', 'won');
    expect(await standing()).toBe('active dear');
    await dispute('dp_period', 'open', period?.paymentId ?? '');
    expect(await standing()).toBe('ended free');
  });

  test('which is over stays over, when administrators are told of its dispute only then', async () => {
    service.clock.advance({ days: 10 });
    await dispute('dp_told_late', 'open');
    await dispute('dp_told_late', 'won');
    expect(await standing()).toBe('active small');
    service.clock.advance({ days: 40 });
    await runJob('follow-subscriptions');
    expect(await standing()).toBe('active free');
    await runJob('announce-disputes');
    expect(await standing()).toBe('active free');
  });

  test('when its refund is heard of before the bill', async () => {
    const two = turnTo(1);
    const bills = billing.outbox.splice(0);
    await refund({ paymentId: two.paymentId ?? '' });
    billing.outbox.push(...bills);
    await deliverAll(service, billing);
    expect(await standing()).toBe('ended free');
    expect(await paidCredits(service, one)).toBe(0);
  });
});

describe('credits that were spent', () => {
  const owes = async () => {
    const text = 'select debt, free + paid as held from credits.balances where wallet_id = $1';
    const { rows } = await owner.query(text, [one.userId]);
    return [Number(rows[0].debt), Number(rows[0].held)];
  };
  const back: [string, (status: 'begins' | 'ends') => Promise<unknown>][] = [
    ['a dispute that is won', (at) => dispute('dp_spent', at === 'begins' ? 'open' : 'won')],
    [
      'a refund that fails',
      (at) => refund({ refundId: 're_spent', status: at === 'begins' ? 'pending' : 'failed' }),
    ],
  ];

  test.each(back)('are owed for no payment that stands, after %s when they have expired', async (_, hear) => {
    await spend(service, one, 1000);
    await hear('begins');
    expect(await owes()).toEqual([1000, 0]);
    service.clock.advance({ days: 40 });
    await hear('ends');
    expect(await owes()).toEqual([0, 0]);
    service.clock.advance({ days: 1 });
    expect(await paidCredits(service, one)).toBe(0);
  });

  test('are repaid by what has expired, of which nothing else comes back, and are owed when it is taken', async () => {
    await spend(service, one, 300);
    await dispute('dp_part', 'open');
    expect(await owes()).toEqual([300, 0]);
    service.clock.advance({ days: 40 });
    await dispute('dp_part', 'won');
    expect(await owes()).toEqual([0, 700]);
    expect((await trySpend(1)).status).toBe(402);
    await dispute('dp_anew', 'open');
    expect((await owes())[0]).toBe(300);
    await dispute('dp_anew', 'won');
    expect((await owes())[0]).toBe(0);
    expect(await paidCredits(service, one)).toBe(0);
  });
});

const request = async (path: string, token: string, body: unknown) =>
  (await service.send('POST', `/api/v1/payments/${path}`, { token, body })).body;

const askForRefund = async (): Promise<string> => {
  const [purchase] = await readOwn(service, one, 'purchases');
  const { id } = await request('refunds', one.token, { purchaseId: purchase.id, reason: 'hm' });
  return id;
};
const deny = (id: string) => request(`refunds/${id}/deny`, admin.token, { reason: 'no' });

describe('credits that come back', () => {
  test('are there again within their period, when a refund is denied', async () => {
    service.clock.advance({ days: 10 });
    const id = await askForRefund();
    expect(await paidCredits(service, one)).toBe(0);
    await deny(id);
    expect(await paidCredits(service, one)).toBe(1000);
    turnTo(1);
    await deliverAll(service, billing);
    expect(await paidCredits(service, one)).toBe(1000);
  });

  test('have expired when their period is over, whether or not the subscription has ended', async () => {
    service.clock.advance({ days: 29, hours: 20 });
    const id = await askForRefund();
    service.clock.advance({ days: 2 });
    expect(await deny(id)).toMatchObject({ state: 'denied' });
    expect(await paidCredits(service, one)).toBe(0);
    service.clock.set(start);
    one = await subscribe(service, billing, 'small');
    const another = await askForRefund();
    await ask(service, one, 'DELETE');
    end(billing, one.subscriptionId);
    await deliverAll(service, billing);
    service.clock.advance({ days: 90 });
    await deny(another);
    expect(await paidCredits(service, one)).toBe(0);
  });

  test('by a refund that failed or a dispute that was won have expired with their period as well', async () => {
    await refund({ refundId: 're_failing', status: 'pending' });
    service.clock.advance({ days: 40 });
    await refund({ refundId: 're_failing', status: 'failed' });
    expect(await paidCredits(service, one)).toBe(0);
    service.clock.set(start);
    one = await subscribe(service, billing, 'small');
    await dispute('dp_slow', 'open');
    service.clock.advance({ days: 40 });
    await dispute('dp_slow', 'won');
    expect(await paidCredits(service, one)).toBe(0);
  });
});

describe('a change of plan', () => {
  test('brings credits for one bill, however many come without a change having been asked for', async () => {
    service.clock.advance({ days: 10 });
    await ask(service, one, 'PATCH', { planId: 'large' });
    await deliverAll(service, billing);
    expect(await paidCredits(service, one)).toBe(1000 + 1333);
    const bill = lastBill();
    const again = { ...bill, invoiceId: 'in_again', paymentId: null };
    const event = await tell([again]);
    expect(event.status).toBeLessThan(300);
    expect(await paidCredits(service, one)).toBe(1000 + 1333);
    const { body } = await service.send('GET', '/api/v1/payments/events?outcome=refused', {
      token: admin.token,
    });
    expect(JSON.stringify(body)).toContain('unknown_change');
  });

  test('that was paid back can be asked for again, and is billed and counted once more', async () => {
    service.clock.advance({ days: 10 });
    await ask(service, one, 'PATCH', { planId: 'large' });
    await deliverAll(service, billing);
    await refund();
    expect([await standing(), await paidCredits(service, one)]).toEqual(['active small', 1000]);
    await ask(service, one, 'PATCH', { planId: 'large' });
    await deliverAll(service, billing);
    expect([await standing(), await paidCredits(service, one)]).toEqual(['active large', 1000 + 1333]);
  });
});
