import { eq } from 'drizzle-orm';
import type { Ctx } from '../../../ctx.ts';
import type { JobData } from '../../../jobs/index.ts';
import { pastDueMail } from '../../../mail/payment-templates.ts';
import { findUser } from '../../users/index.ts';
import { plans, subscriptions } from '../plan-tables.ts';

/**
 * Job: tells a subscriber that a bill could not be paid, unless it has been meanwhile. Rejects when the mail was not
 * taken.
 */
export async function sendPastDueMail(
  ctx: Ctx,
  { subscriptionId }: JobData['send-past-due-mail'],
): Promise<void> {
  const found = await ctx.db.asService(async (tx) => {
    const [row] = await tx
      .select({ status: subscriptions.status, userId: subscriptions.userId, plan: plans.name })
      .from(subscriptions)
      .innerJoin(plans, eq(plans.id, subscriptions.billedPlanId))
      .where(eq(subscriptions.id, subscriptionId));
    if (row?.status !== 'past_due') return undefined;
    const user = await findUser(tx, row.userId);
    return user && { to: user.email, plan: row.plan };
  });
  if (found) await ctx.mail.send(pastDueMail({ ...found, pageUrl: `${ctx.config.appUrl}/credits` }));
}
