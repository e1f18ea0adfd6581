import { eq, sql } from 'drizzle-orm';
import { afterEach, describe, expect, test } from 'vitest';
import { turnOf } from '../../../../test/harness/billing.ts';
import { startTestService } from '../../../../test/harness/index.ts';
import { addAdministrator, expectSound, spend } from '../../../../test/harness/movements.ts';
import { startPaymentStandIn } from '../../../../test/harness/payment-stand-in.ts';
import { ask, countPurchases, makePlan, paidCredits } from '../../../../test/harness/plans.ts';
import { addWalletHolder, type WalletHolder } from '../../../../test/harness/wallets.ts';
import type { ProviderName } from '../fact.ts';
import { subscriptions } from '../plan-tables.ts';
import { reconcilePayments } from '../reconciliation/reconcile-payments.ts';

// A year with what the providers themselves speak: the SDK, signed webhooks, and the stand-in's clock.

const standIn = await startPaymentStandIn();
const { clock } = standIn;
const service = await startTestService({
  clock,
  env: {
    CREDITS_DAILY_FREE: '0',
    CREDITS_SIGNUP_BONUS: '0',
    CREDITS_DAILY_CAP: '0',
    ...standIn.settings,
  },
});
standIn.deliverTo(service.url);
const admin = await addAdministrator(service);
await makePlan(service, admin, 'fresh');
await makePlan(service, admin, 'kept', { rollover: 'all' });
await makePlan(service, admin, 'large', { priceCents: 3000, credits: 3000 });

afterEach(() => expectSound(service));

async function subscribe(planId: string, provider: ProviderName): Promise<WalletHolder> {
  const holder = await addWalletHolder(service);
  const { status, body } = await ask(service, holder, 'POST', { planId, provider });
  expect(status).toBe(201);
  await standIn.choose(body.checkoutUrl, 'pay');
  await standIn.deliver();
  return holder;
}

const read = async (holder: WalletHolder) => (await ask(service, holder, 'GET')).body;

/** By what the provider knows the subscription of a person. */
async function idAtProvider(holder: WalletHolder): Promise<string> {
  const [row] = await service.ctx.db.asService((tx) =>
    tx
      .select({ id: subscriptions.providerSubscriptionId })
      .from(subscriptions)
      .where(eq(subscriptions.userId, holder.userId)),
  );
  return row?.id ?? '';
}

/** An hour after the turn of a month the provider has billed it, and has said so. */
async function turn(start: Date, month: number): Promise<void> {
  clock.set(turnOf(start, 'month', month).toISOString());
  clock.advance({ hours: 1 });
  await standIn.deliver();
}

/** Providers are asked about subscriptions of which nothing was heard. */
async function followUp(): Promise<void> {
  await service.ctx.db.asService((tx) => service.ctx.jobs.enqueue(tx, 'follow-subscriptions', {}));
  await service.ctx.jobs.runDue();
}

const retryDays = { stripe: 3, paypal: 5 };

describe.each(['stripe', 'paypal'] as const)('a year of months at %s', (provider) => {
  test('brings a grant a month, waits for a card that is declined, and ends with its last period', async () => {
    const start = clock.now();
    const [fresh, kept] = [await subscribe('fresh', provider), await subscribe('kept', provider)];
    const failing = 5;
    for (let month = 1; month <= 11; month++) {
      await spend(service, fresh, 300);
      await spend(service, kept, 900);
      const id = await idAtProvider(fresh);
      if (month === failing) standIn.act('decline-renewals', { subscription: id, declines: 'yes' });
      await turn(start, month);
      expect(`${month}: ${await paidCredits(service, kept)}`).toBe(`${month}: ${1000 + month * 100}`);
      if (month === failing) {
        expect(await read(fresh)).toMatchObject({ status: 'past_due' });
        clock.advance({ days: 1 });
        expect(await paidCredits(service, fresh)).toBe(0);
        standIn.act('decline-renewals', { subscription: id, declines: 'no' });
        clock.advance({ days: retryDays[provider] });
        await standIn.deliver();
        // PayPal tells of the payment alone; how the subscription stands is asked for.
        clock.advance({ hours: 7 });
        await followUp();
      }
      // What PayPal was paid late for lasts a month from then on.
      if (month === failing + 1 && provider === 'paypal') clock.advance({ days: retryDays.paypal + 1 });
      expect(await read(fresh)).toMatchObject({ status: 'active', plan: { id: 'fresh' } });
      expect(`${month}: ${await paidCredits(service, fresh)}`).toBe(`${month}: 1000`);
    }
    for (const holder of [fresh, kept]) {
      expect(await countPurchases(service, holder)).toEqual({ completed: 12, credits: 12_000 });
      const cancelled = await ask(service, holder, 'DELETE');
      expect(cancelled).toMatchObject({ status: 200, body: { cancelsAtPeriodEnd: true } });
    }
    await standIn.deliver();
    clock.advance({ days: 20 });
    expect(await paidCredits(service, fresh)).toBe(1000);
    clock.advance({ days: 20 });
    await standIn.deliver();
    // PayPal does not tell when a period is over; and their sessions are over by now.
    await followUp();
    for (const { userId } of [fresh, kept]) {
      const { rows } = await service.ctx.db.asService((tx) =>
        tx.execute(sql`select s.status, u.subscription_tier as tier
          from auth.users u join payments.subscriptions s on s.user_id = u.id where u.id = ${userId}`),
      );
      expect(rows).toEqual([{ status: 'ended', tier: 'free' }]);
    }
  });
});

test('at Stripe a dearer plan counts at once and a cheaper one with the next period, for the rest of the year', async () => {
  const start = clock.now();
  const one = await subscribe('fresh', 'stripe');
  const credits: number[] = [];
  for (let month = 1; month <= 6; month++) {
    if (month === 2) {
      clock.advance({ days: 10 });
      expect((await ask(service, one, 'PATCH', { planId: 'large' })).status).toBe(200);
      await standIn.deliver();
      expect(await paidCredits(service, one)).toBeGreaterThan(2000);
      expect(await read(one)).toMatchObject({ plan: { id: 'large' } });
    }
    if (month === 4) {
      expect((await ask(service, one, 'PATCH', { planId: 'fresh' })).status).toBe(200);
      expect(await read(one)).toMatchObject({ plan: { id: 'large' }, nextPlan: { id: 'fresh' } });
    }
    await turn(start, month);
    credits.push(await paidCredits(service, one));
  }
  expect(credits).toEqual([1000, 3000, 3000, 1000, 1000, 1000]);
});

test('after those years both providers agree with the ledger', async () => {
  const since = new Date('2026-01-01T00:00:00.000Z');
  for (const provider of service.ctx.payments.providers) {
    clock.advance({ hours: 5 });
    const report = await reconcilePayments(service.ctx, { provider, since, repairs: false });
    expect(report.findings).toEqual([]);
    expect(report.matched).toBeGreaterThan(20);
  }
});
