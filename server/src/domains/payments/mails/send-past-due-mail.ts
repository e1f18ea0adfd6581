import { and, eq, isNotNull } from 'drizzle-orm';
import type { Ctx } from '../../../ctx.ts';
import type { JobData } from '../../../jobs/index.ts';
import { pastDueMail } from '../../../mail/payment-templates.ts';
import { creditsAddress } from '../../credits/index.ts';
import { findUser } from '../../users/index.ts';
import { invoices, plans, subscriptions } from '../plan-tables.ts';

/**
 * Job: tells a subscriber that a bill could not be paid, unless it has been meanwhile. Whoever never paid a
 * first one sees that in the checkout. Rejects when the mail was not taken.
 */
export async function sendPastDueMail(
  ctx: Ctx,
  { provider, invoiceId }: JobData['send-past-due-mail'],
): Promise<void> {
  const found = await ctx.db.asService(async (tx) => {
    const [row] = await tx
      .select({ userId: subscriptions.userId, plan: plans.name })
      .from(invoices)
      .innerJoin(
        subscriptions,
        and(
          eq(subscriptions.provider, invoices.provider),
          eq(subscriptions.providerSubscriptionId, invoices.providerSubscriptionId),
        ),
      )
      .innerJoin(plans, eq(plans.id, subscriptions.billedPlanId))
      .where(
        and(
          eq(invoices.provider, provider),
          eq(invoices.invoiceId, invoiceId),
          eq(invoices.status, 'failed'),
          isNotNull(subscriptions.paidUntil),
        ),
      );
    const user = row && (await findUser(tx, row.userId));
    return user && { to: user.email, plan: row.plan };
  });
  if (found) await ctx.mail.send(pastDueMail({ ...found, pageUrl: creditsAddress(ctx) }));
}
