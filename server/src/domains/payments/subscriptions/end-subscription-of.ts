import { and, eq } from 'drizzle-orm';
import type { Ctx } from '../../../ctx.ts';
import type { Caller } from '../../../db/index.ts';
import { AppError } from '../../../errors.ts';
import { recordAuditEvent, type RequestOrigin } from '../../audit/index.ts';
import { assertRecentSignIn } from '../../auth/index.ts';
import { subscriptions } from '../plan-tables.ts';
import { endSubscription } from './end-subscription.ts';
import { goesOn, readRow } from './find-subscription.ts';
import { toSubscriptionView } from './read-subscription.ts';
import type { SubscriptionEnd, SubscriptionView } from './schemas.ts';

/**
 * Ends a person's subscription on an administrator's word, with its period or at once (see
 * `endSubscription`), after a recent sign-in. The audit trail says so before the provider hears of it, so
 * that nothing ends without a word there; where the provider fails, the same is asked for again. One that has
 * ended, or that ends as asked for, stays as it is. Throws `auth.session_ended`, `auth.admin_required`,
 * `auth.step_up_required`, `request.not_found`, `payments.subscription_state`, and what the provider throws.
 */
export async function endSubscriptionOf(
  ctx: Ctx,
  caller: Caller,
  { userId, subscriptionId, when, reason }: SubscriptionEnd & { userId: string; subscriptionId: string },
  origin: RequestOrigin,
): Promise<SubscriptionView> {
  const isAtOnce = when === 'now';
  const subscription = await ctx.db.asAdministrator(caller, async (tx) => {
    await assertRecentSignIn(ctx, caller, tx);
    const [found] = await tx
      .select()
      .from(subscriptions)
      .where(and(eq(subscriptions.id, subscriptionId), eq(subscriptions.userId, userId)));
    if (!found) throw new AppError('request.not_found');
    if (!goesOn(found, isAtOnce)) return found;
    const details = { subscriptionId, when };
    const actor = { type: 'user', id: caller.userId } as const;
    const target = { type: 'user', id: userId };
    const action = 'payments.subscription_end_asked' as const;
    await recordAuditEvent(ctx, tx, { action, actor, target, reason, details }, origin);
    return found;
  });
  if (goesOn(subscription, isAtOnce)) await endSubscription(ctx, subscription, { isAtOnce });
  return ctx.db.asService(async (tx) => toSubscriptionView(ctx, tx, await readRow(tx, subscriptionId)));
}
