import { eq, sql } from 'drizzle-orm';
import type { Ctx } from '../../../ctx.ts';
import { recordAuditEvent } from '../../audit/index.ts';
import { subscriptions } from '../plan-tables.ts';
import { isLeftTest, providerOf } from '../provider-of.ts';
import { askAboutSubscriptions } from './ask-about-subscriptions.ts';
import { endLeftTest } from './end-left-test.ts';
import type { Subscription } from './find-subscription.ts';
import { readAfterRefusal } from './read-after-refusal.ts';

type Ending = { reason: 'lost' | 'second'; endFor: string };

/** How long until the provider is asked again. */
const tryAgainMs = 10 * 60_000;

/**
 * Has providers end, with their periods, subscriptions that nobody wants to go on: one whose last bill was
 * refunded in full or lost to a bank, and one whose checkout had been left when another was begun, and was
 * paid all the same. Each once: whoever takes it back keeps it. Administrators see it in the audit trail.
 */
export async function endUnwanted(ctx: Ctx): Promise<void> {
  const condition = sql`${subscriptions.id} in (select payments.unwanted_subscriptions())`;
  const complaint = 'a provider did not end a subscription that should not go on';
  await askAboutSubscriptions(ctx, { condition, againMs: tryAgainMs, complaint }, (subscription) =>
    endOne(ctx, subscription),
  );
}

async function endOne(ctx: Ctx, subscription: Subscription) {
  if (isLeftTest(ctx, subscription)) return endLeftTest(ctx, subscription);
  const { id, userId, providerSubscriptionId } = subscription;
  const ending = await readEnding(ctx, id);
  if (ending === undefined || providerSubscriptionId === null) return;
  const { reason, endFor } = ending;
  const provider = providerOf(ctx, subscription);
  const order = { providerSubscriptionId, cancels: true, changeId: endFor };
  const fact = await provider.cancelSubscription(order).catch(async (error: unknown) => {
    await readAfterRefusal(ctx, provider, { providerSubscriptionId, error });
    throw error;
  });
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
