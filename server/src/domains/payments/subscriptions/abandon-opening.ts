import { and, eq, inArray, isNull } from 'drizzle-orm';
import type { Ctx } from '../../../ctx.ts';
import { subscriptions } from '../plan-tables.ts';
import type { Subscription } from './find-subscription.ts';

/** Closes a subscription that waits in its checkout, unless something has come of it meanwhile. */
export async function abandonOpening(ctx: Ctx, { id, checkoutId }: Subscription): Promise<void> {
  const sameCheckout =
    checkoutId === null ? isNull(subscriptions.checkoutId) : eq(subscriptions.checkoutId, checkoutId);
  const waits = inArray(subscriptions.status, ['opening', 'incomplete']);
  await ctx.db.asService((tx) =>
    tx
      .update(subscriptions)
      .set({ status: 'abandoned', updatedAt: ctx.clock.now() })
      .where(and(eq(subscriptions.id, id), sameCheckout, waits)),
  );
}
