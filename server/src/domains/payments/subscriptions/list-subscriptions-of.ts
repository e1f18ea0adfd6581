import { and, desc, eq, ne } from 'drizzle-orm';
import type { Ctx } from '../../../ctx.ts';
import type { Caller } from '../../../db/index.ts';
import { requireUser } from '../../users/index.ts';
import { subscriptions } from '../plan-tables.ts';
import { toSubscriptionView } from './read-subscription.ts';
import type { SubscriptionView } from './schemas.ts';

/** The youngest of them; more than anybody has. */
const listedMax = 100;

/**
 * The subscriptions of a person, those that have ended as well, the youngest first; for administrators.
 * Throws `auth.session_ended`, `auth.admin_required`, `request.not_found`.
 */
export async function listSubscriptionsOf(
  ctx: Ctx,
  caller: Caller,
  userId: string,
): Promise<SubscriptionView[]> {
  return ctx.db.asAdministrator(caller, async (tx) => {
    await requireUser(tx, userId);
    const rows = await tx
      .select()
      .from(subscriptions)
      .where(and(eq(subscriptions.userId, userId), ne(subscriptions.status, 'abandoned')))
      .orderBy(desc(subscriptions.createdAt), desc(subscriptions.id))
      .limit(listedMax);
    const views: SubscriptionView[] = [];
    for (const row of rows) views.push(await toSubscriptionView(ctx, tx, row));
    return views;
  });
}
