import { and, eq, inArray } from 'drizzle-orm';
import type { Ctx } from '../../../ctx.ts';
import { recordAuditEvent } from '../../audit/index.ts';
import { subscriptions } from '../plan-tables.ts';
import { endSubscription } from './end-subscription.ts';
import { liveStatuses } from './find-subscription.ts';

/**
 * Ends at once all subscriptions of a person that would be billed again, for the operator who erases them;
 * the audit trail says so of each before its provider hears of it. Of several, those before the first that
 * cannot be ended stay ended. Throws what `endSubscription` does.
 */
export async function endAllSubscriptions(ctx: Ctx, userId: string): Promise<void> {
  const isBilled = and(
    eq(subscriptions.userId, userId),
    inArray(subscriptions.status, [...liveStatuses]),
    eq(subscriptions.cancelsAtPeriodEnd, false),
  );
  const living = await ctx.db.asService(async (tx) => {
    const found = await tx.select().from(subscriptions).where(isBilled).orderBy(subscriptions.id);
    for (const { id } of found) {
      await recordAuditEvent(ctx, tx, {
        action: 'payments.subscription_end_asked',
        actor: { type: 'operator' },
        target: { type: 'user', id: userId },
        details: { subscriptionId: id, when: 'now' },
      });
    }
    return found;
  });
  for (const subscription of living) await endSubscription(ctx, subscription, { isAtOnce: true });
}
