import { afterEach, describe, expect, test } from 'vitest';
import { createShuffler, deliver, deliverAll, renew, turnOf } from '../../../../test/harness/billing.ts';
import { expectSound, spend } from '../../../../test/harness/movements.ts';
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

const start = '2027-01-31T10:00:00.000Z';
const { service, billing, admin } = await startBilledService(start);
await makePlan(service, admin, 'none');
await makePlan(service, admin, 'all', { rollover: 'all' });
await makePlan(service, admin, 'capped', { rollover: 'capped', rolloverCap: 300 });
await makePlan(service, admin, 'deep', { rollover: 'capped', rolloverCap: 2500 });

afterEach(() => expectSound(service));

/** What is left of credits of one's own after so many, when a new period brings its thousand. */
const carried: Record<string, (unused: number) => number> = {
  none: () => 0,
  all: (unused) => unused,
  capped: (unused) => Math.min(unused, 300),
  deep: (unused) => Math.min(unused, 2500),
};

/** A number below a thousand that looks like chance and is the same in every run. */
const amountOf = (month: number, place: number): number => (month * 397 + place * 211 + 89) % 1000;

/** Spends part of what is there; every third month nothing, every fifth all of it. */
async function spendInMonth(subscriber: Subscriber, month: number, place: number): Promise<number> {
  const available = await paidCredits(service, subscriber);
  const amount =
    month % 3 === 0 ? 0 : month % 5 === 0 ? available : Math.min(available, amountOf(month, place));
  if (amount > 0) await spend(service, subscriber, amount);
  return available - amount;
}

describe('a year of months, begun on the 31st', () => {
  test('brings one grant a period, and carries over what the plan says, whatever the order of events', async () => {
    service.clock.set(start);
    const names = Object.keys(carried);
    const subscribers: Subscriber[] = [];
    for (const name of names) subscribers.push(await subscribe(service, billing, name));
    const shuffle = createShuffler(41);
    const told: ProviderEvent[] = [];
    for (let month = 1; month <= 11; month++) {
      service.clock.advance({ days: 9 });
      const unused: number[] = [];
      for (const [place, one] of subscribers.entries()) unused.push(await spendInMonth(one, month, place));
      // Stripe bills an hour after the turn; what is left can be spent until then.
      service.clock.set(turnOf(new Date(start), 'month', month));
      service.clock.advance({ hours: 1 });
      for (const [place, one] of subscribers.entries()) {
        expect(await paidCredits(service, one)).toBe(unused[place]);
        renew(billing, one.subscriptionId);
      }
      told.push(...billing.outbox);
      await deliverAll(service, billing, shuffle);
      for (const [place, one] of subscribers.entries()) {
        const expected = 1000 + (carried[names[place] as string]?.(unused[place] as number) as number);
        expect(`${month} ${names[place]} ${await paidCredits(service, one)}`).toBe(
          `${month} ${names[place]} ${expected}`,
        );
      }
    }
    for (const event of shuffle(told).slice(0, 60)) expect((await deliver(service, event)).status).toBe(200);
    for (const one of subscribers) {
      expect(await countPurchases(service, one)).toEqual({ completed: 12, credits: 12_000 });
      expect((await ask(service, one, 'GET')).body).toMatchObject({
        status: 'active',
        periodStart: '2027-12-31T10:00:00.000Z',
        periodEnd: '2028-01-31T10:00:00.000Z',
      });
    }
  });

  test('that nobody renews leaves credits as long as their period, and a day for a bill that is late', async () => {
    service.clock.set('2027-01-31T10:00:00.000Z');
    const one = await subscribe(service, billing, 'none');
    service.clock.set('2027-03-01T09:59:59.999Z');
    expect(await paidCredits(service, one)).toBe(1000);
    service.clock.advance({ ms: 1 });
    expect(await paidCredits(service, one)).toBe(0);
  });
});
