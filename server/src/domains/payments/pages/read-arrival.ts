import type { ArrivalView } from '../../../../../web/src/credits-pages.ts';
import type { Ctx } from '../../../ctx.ts';
import type { Caller } from '../../../db/index.ts';
import { AppError } from '../../../errors.ts';
import { readPurchase } from '../read-purchase.ts';
import type { SubscriptionView as Subscription } from '../subscriptions/schemas.ts';

type ArrivalQuery = { purchase?: string; subscription?: string; cancelled?: string };

/** So long after a payment its credits are still news. */
const newsMs = 60 * 60_000;
const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/**
 * What became of the purchase or subscription whose checkout somebody comes back from. Null when it is none
 * of theirs, or long ago. Throws `auth.session_ended`.
 */
export async function readArrival(
  ctx: Ctx,
  caller: Caller,
  { purchase, subscription: subscriptionId, cancelled }: ArrivalQuery,
  subscription: Subscription | null,
): Promise<ArrivalView | null> {
  if (subscription !== null && subscriptionId === subscription.id) return begunBy(ctx, subscription);
  if (purchase === undefined || !uuid.test(purchase)) return null;
  try {
    const { status, title, credits, checkoutUrl, completedAt } = await readPurchase(ctx, caller, purchase);
    if (status === 'refunded' || status === 'disputed' || !isNews(ctx, completedAt)) return null;
    if (status === 'completed') return { state: 'arrived', title, credits, checkoutUrl: null };
    if (status === 'failed') return { state: 'failed', title, credits, checkoutUrl: null };
    return { state: cancelled === undefined ? 'waiting' : 'cancelled', title, credits, checkoutUrl };
  } catch (error) {
    if (error instanceof AppError && error.code === 'request.not_found') return null;
    throw error;
  }
}

/** How the beginning of a subscription stands: its credits come with the first paid period. */
function begunBy(ctx: Ctx, { plan, status, paidUntil, periodStart }: Subscription): ArrivalView | null {
  const known = { title: plan.name, credits: plan.credits, checkoutUrl: null };
  if (paidUntil === null) return status === 'past_due' ? null : { ...known, state: 'waiting' };
  return isNews(ctx, periodStart) ? { ...known, state: 'arrived' } : null;
}

function isNews(ctx: Ctx, time: string | null): boolean {
  return time === null || ctx.clock.now().getTime() - new Date(time).getTime() < newsMs;
}
