import { and, eq, inArray } from 'drizzle-orm';
import type { Ctx } from '../../ctx.ts';
import { AppError } from '../../errors.ts';
import { checkPurchase } from './check-purchase.ts';
import { endCheckout } from './end-checkout.ts';
import type { PurchaseRow } from './open-checkout.ts';
import type { MayCapture } from './payment-provider.ts';
import { subscriptions } from './plan-tables.ts';
import { isLeftTest, providerOf } from './provider-of.ts';
import { endLeftTest } from './subscriptions/end-left-test.ts';
import { liveStatuses, type Subscription } from './subscriptions/find-subscription.ts';
import { askAfterCheckout } from './subscriptions/ask-after-checkout.ts';

/** Whoever leaves pays for nothing any more, whatever they have approved. */
const takesNothing: MayCapture = () => Promise.resolve(false);

/**
 * Ends at their providers all checkouts in which a person might still pay, and applies what has come of them:
 * for somebody who leaves. What is left of their subscriptions from test mode ends, too. Nothing is charged
 * here: what was approved is not captured, and a top-up of which nothing was heard is not tried again. That,
 * and what a provider does not end or does not answer about, stays as it is, for the caller to find.
 */
export async function closeCheckouts(ctx: Ctx, userId: string): Promise<void> {
  // One whose answer was lost is found first, or it would be paid where nobody looks.
  for (const purchase of await readOpen(ctx, userId)) {
    const isLost = purchase.checkout_id === null && purchase.kind === 'pack';
    if (isLost) await orLeave(ctx, () => checkPurchase(ctx, purchase, takesNothing));
  }
  for (const purchase of await readOpen(ctx, userId)) {
    const isOver = { ...purchase, expires_at: null };
    if (purchase.checkout_id !== null) await orLeave(ctx, () => checkPurchase(ctx, isOver, takesNothing));
  }
  const unended = await ctx.db.asService((tx) =>
    tx
      .select()
      .from(subscriptions)
      .where(
        and(eq(subscriptions.userId, userId), inArray(subscriptions.status, ['opening', ...liveStatuses])),
      ),
  );
  for (const subscription of unended) await orLeave(ctx, () => closeSubscription(ctx, subscription));
}

/** One that lives is its owner's to cancel, unless it is left from test mode. */
async function closeSubscription(ctx: Ctx, subscription: Subscription): Promise<void> {
  if (isLeftTest(ctx, subscription)) return endLeftTest(ctx, subscription);
  const { checkoutId, status } = subscription;
  if (status !== 'opening') return;
  if (checkoutId !== null) await endCheckout(providerOf(ctx, subscription), checkoutId);
  await askAfterCheckout(ctx, subscription);
}

async function readOpen(ctx: Ctx, userId: string): Promise<PurchaseRow[]> {
  const rows = await ctx.db.call<{ purchase: PurchaseRow }>(
    'select purchase from payments.open_purchases_of($1, $2) as purchase',
    [userId, ctx.clock.now()],
  );
  return rows.map(({ purchase }) => purchase);
}

async function orLeave(ctx: Ctx, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof AppError) || !error.code.startsWith('payments.')) throw error;
    ctx.log.warn({ err: error }, 'a checkout of somebody who leaves cannot be closed');
  }
}
