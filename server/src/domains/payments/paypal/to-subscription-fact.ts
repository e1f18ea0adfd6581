import type { SubscriptionFact } from '../fact.ts';
import { endOfPeriod } from './billing-plans.ts';
import {
  readCount,
  readMember,
  readOptionalText,
  readOptionalTime,
  readText,
  toOwnId,
  type Json,
} from './json.ts';
import type { PaypalConnection } from './paypal-connection.ts';

type Period = { start: Date | null; end: Date | null };

/**
 * How a subscription stands (Subscriptions v1). PayPal ends one at once when it is cancelled, and bills no
 * more: for us it goes on until the end of the period that was paid. `asOf` is when PayPal last changed it,
 * or `toldAt` when PayPal does not say. Null while nobody has approved it, since that is no subscription yet,
 * and in a state that PayPal did not have when this was written. Throws JsonError, and what reading its plan
 * throws.
 */
export async function toSubscriptionFact(
  connection: PaypalConnection,
  { subscription, toldAt }: { subscription: Json; toldAt: Date },
): Promise<SubscriptionFact | null> {
  const status = readStatus(subscription);
  if (status === null) return null;
  const providerPriceId = readText(subscription, 'plan_id');
  const changedAt = latest([
    readOptionalTime(subscription, 'update_time'),
    readOptionalTime(subscription, 'status_update_time'),
  ]);
  const period = await readPeriod(connection, { subscription, planId: providerPriceId });
  const isCancelled = readText(subscription, 'status') === 'CANCELLED';
  const hasLapsed = isCancelled && (period.end === null || period.end <= connection.clock.now());
  const subscriber = readMember(subscription, 'subscriber');
  return {
    kind: 'subscription',
    providerSubscriptionId: readText(subscription, 'id'),
    subscriptionId: toOwnId(readOptionalText(subscription, 'custom_id')),
    status: hasLapsed ? 'ended' : status,
    providerPriceId,
    periodStart: period.start?.toISOString() ?? null,
    periodEnd: period.end?.toISOString() ?? null,
    cancelsAtPeriodEnd: isCancelled,
    customerId: subscriber && readOptionalText(subscriber, 'payer_id'),
    asOf: (latest([changedAt, hasLapsed ? period.end : null]) ?? toldAt).toISOString(),
  };
}

function readStatus(subscription: Json): SubscriptionFact['status'] | null {
  const failures = readCount(readMember(subscription, 'billing_info') ?? {}, 'failed_payments_count');
  switch (readText(subscription, 'status')) {
    case 'ACTIVE':
      return failures > 0 ? 'past_due' : 'active';
    case 'CANCELLED':
      return 'active';
    case 'SUSPENDED':
      return 'past_due';
    case 'EXPIRED':
      return 'ended';
    default:
      return null;
  }
}

/** From the last payment to the next one; a subscription that bills no more runs out with what was paid. */
async function readPeriod(
  connection: PaypalConnection,
  { subscription, planId }: { subscription: Json; planId: string },
): Promise<Period> {
  const billing = readMember(subscription, 'billing_info') ?? {};
  const lastPayment = readMember(billing, 'last_payment');
  const start = lastPayment && readOptionalTime(lastPayment, 'time');
  const next = readOptionalTime(billing, 'next_billing_time');
  if (!start) return { start: null, end: null };
  // After a payment that failed it is the time of the next try.
  const isRunning =
    readText(subscription, 'status') === 'ACTIVE' && readCount(billing, 'failed_payments_count') === 0;
  if (isRunning && next && next > start) return { start, end: next };
  return { start, end: endOfPeriod(start, await connection.plans.intervalOf(connection, planId)) };
}

function latest(times: (Date | null)[]): Date | null {
  return times.reduce((last, time) => (time && (!last || time > last) ? time : last), null);
}
