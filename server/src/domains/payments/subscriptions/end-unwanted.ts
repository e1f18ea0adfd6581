import { and, eq, inArray, or, sql } from 'drizzle-orm';
import type { Ctx } from '../../../ctx.ts';
import { recordAuditEvent } from '../../audit/index.ts';
import { subscriptions } from '../plan-tables.ts';
import { claimSubscriptions } from './claim-subscriptions.ts';
import type { Subscription } from './find-subscription.ts';

type Ending = { reason: 'lost' | 'second'; endFor: string };

/** How long until the provider is asked again. */
const tryAgainMs = 10 * 60_000;

/**
 * Has providers end, with their periods, subscriptions that nobody wants to go on: one whose last bill was
 * refunded in full or lost to a bank, and one whose checkout had been left when another was begun, and was
 * paid all the same. Each once: whoever takes it back keeps it. Administrators see it in the audit trail.
 */
export async function endUnwanted(ctx: Ctx): Promise<void> {
  const mayBe = and(
    inArray(subscriptions.status, ['active', 'past_due']),
    eq(subscriptions.cancelsAtPeriodEnd, false),
    or(
      sql`${subscriptions.abandonedAt} is not null`,
      sql`payments.lost_period_of(${subscriptions.id}) is not null`,
    ),
    sql`(payments.ending_of(${subscriptions.id})).end_for is not null`,
  );
  const claimed = await claimSubscriptions(ctx, mayBe, tryAgainMs);
  await Promise.all(
    claimed.map((subscription) =>
      endOne(ctx, subscription).catch((error: unknown) => {
        const facts = { err: error, subscriptionId: subscription.id };
        ctx.log.warn(facts, 'a provider did not end a subscription that should not go on');
      }),
    ),
  );
}

async function endOne(ctx: Ctx, { id, userId, provider: name, providerSubscriptionId }: Subscription) {
  const ending = await readEnding(ctx, id);
  if (ending === undefined || providerSubscriptionId === null) return;
  const { reason, endFor } = ending;
  const provider = ctx.payments.provider(name);
  const fact = await provider.cancelSubscription({ providerSubscriptionId, cancels: true, changeId: endFor });
  await ctx.db.asService(async (tx) => {
    await tx.update(subscriptions).set({ endedFor: endFor }).where(eq(subscriptions.id, id));
    await recordAuditEvent(ctx, tx, {
      action: 'payments.subscription_ended',
      actor: { type: 'system' },
      target: { type: 'user', id: userId },
      details: { subscriptionId: id, reason },
    });
  });
  ctx.log.warn({ subscriptionId: id, reason }, 'a subscription that should not go on ends with its period');
  await ctx.payments.applyFacts(provider, [fact]);
}

async function readEnding(ctx: Ctx, id: string): Promise<Ending | undefined> {
  const { rows } = await ctx.db.asService((tx) =>
    tx.execute<Ending>(sql`
      select e.reason, e.end_for as "endFor" from payments.ending_of(${id}) e where e.end_for is not null`),
  );
  return rows[0];
}
