import { and, eq } from 'drizzle-orm';
import type { Ctx } from '../../../ctx.ts';
import { subscriptions } from '../plan-tables.ts';
import type { Subscription } from './find-subscription.ts';

/**
 * Ends a subscription that is left from test mode, asking nobody: live keys do not reach it, and no money is
 * behind it. One that waits in its checkout is abandoned. What was paid for in it stays until its time.
 */
export async function endLeftTest(ctx: Ctx, subscription: Subscription): Promise<void> {
  const { id, provider, providerSubscriptionId, status } = subscription;
  if (status === 'opening' || providerSubscriptionId === null) {
    await ctx.db.asService((tx) =>
      tx
        .update(subscriptions)
        .set({ status: 'abandoned', updatedAt: ctx.clock.now() })
        .where(and(eq(subscriptions.id, id), eq(subscriptions.status, status))),
    );
    return;
  }
  const ended = {
    kind: 'subscription' as const,
    providerSubscriptionId,
    subscriptionId: id,
    status: 'ended' as const,
    providerPriceId: subscription.providerPriceId ?? '',
    periodStart: subscription.periodStart?.toISOString() ?? null,
    periodEnd: subscription.periodEnd?.toISOString() ?? null,
    cancelsAtPeriodEnd: false,
    customerId: subscription.customerId,
    asOf: ctx.clock.now().toISOString(),
  };
  await ctx.payments.applyFacts({ name: provider, isLive: false }, [ended]);
}
