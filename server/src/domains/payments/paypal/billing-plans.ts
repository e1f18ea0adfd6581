import { createBoundedMap } from '../../../lib/bounded-map.ts';
import type { PaypalConnection } from './paypal-connection.ts';
import { expectBody, readAnswer } from './paypal-client.ts';
import { JsonError, readCount, readList, readMember, readText, type Json } from './json.ts';

const plansMax = 500;

/** How long one period of a plan is. */
export type Interval = { unit: 'DAY' | 'WEEK' | 'MONTH' | 'YEAR'; count: number };

/** What plans of PayPal's say of their periods; a plan never changes that. */
export type BillingPlans = { intervalOf(connection: PaypalConnection, planId: string): Promise<Interval> };

/** Reads plans from PayPal, each once, and remembers the last 500. */
export function createBillingPlans(): BillingPlans {
  const known = createBoundedMap<Interval>(plansMax);
  return {
    async intervalOf({ client }, planId) {
      const remembered = known.get(planId);
      if (remembered) return remembered;
      const answer = await client.call('GET', `/v1/billing/plans/${encodeURIComponent(planId)}`);
      const interval = await readAnswer(() => readInterval(expectBody(answer)));
      known.set(planId, interval);
      return interval;
    },
  };
}

function readInterval(plan: Json): Interval {
  const cycle = readList(plan, 'billing_cycles').find(({ tenure_type: type }) => type === 'REGULAR') ?? {};
  const frequency = readMember(cycle, 'frequency') ?? {};
  const unit = readText(frequency, 'interval_unit');
  if (unit !== 'DAY' && unit !== 'WEEK' && unit !== 'MONTH' && unit !== 'YEAR')
    throw new JsonError('interval_unit is unknown');
  return { unit, count: readCount(frequency, 'interval_count') || 1 };
}

/** When a period that begins then ends. The 31st of a month without one is its last day. */
export function endOfPeriod(start: Date, { unit, count }: Interval): Date {
  if (unit === 'DAY' || unit === 'WEEK') {
    const days = unit === 'DAY' ? count : 7 * count;
    return new Date(start.getTime() + days * 86_400_000);
  }
  const months = unit === 'MONTH' ? count : 12 * count;
  const end = new Date(start);
  end.setUTCDate(1);
  end.setUTCMonth(end.getUTCMonth() + months);
  const lastDay = new Date(Date.UTC(end.getUTCFullYear(), end.getUTCMonth() + 1, 0)).getUTCDate();
  end.setUTCDate(Math.min(start.getUTCDate(), lastDay));
  return end;
}
