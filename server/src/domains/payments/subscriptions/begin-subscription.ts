import { and, desc, eq, inArray, sql } from 'drizzle-orm';
import type { Ctx } from '../../../ctx.ts';
import type { Caller, Tx } from '../../../db/index.ts';
import { AppError } from '../../../errors.ts';
import { reachFaultPoint } from '../../../lib/fault-points.ts';
import { newId } from '../../../lib/ids.ts';
import { creditsAddress } from '../../credits/index.ts';
import { lockUser, type User } from '../../users/index.ts';
import type { ProviderName } from '../fact.ts';
import { openableMs } from '../openable-ms.ts';
import { subscriptions } from '../plan-tables.ts';
import { findPlan } from '../plans/find-plan.ts';
import type { Plan, PlanVersion } from '../plans/to-plan-view.ts';
import type { PaymentProvider } from '../payment-provider.ts';
import { isLeftTest } from '../provider-of.ts';
import { endLeftTest } from './end-left-test.ts';
import { ensurePriceOf } from './ensure-price-of.ts';
import { liveStatuses, type Subscription } from './find-subscription.ts';
import { leaveCheckout } from './leave-checkout.ts';
import type { OpenedSubscription } from './schemas.ts';

/** How long a checkout waits to be paid. */
const checkoutMs = 3_600_000;

type Ordered = { plan: Plan; version: PlanVersion };

/**
 * Begins a subscription: opens a checkout at the provider, in which the first period is paid. Again, while
 * that waits, it answers with the same checkout; for another plan the one before is closed first, so that
 * nobody pays for two, and what is left from test mode ends. Throws `auth.session_ended`, `request.not_found`
 * (the plan), `payments.subscribed_already`, `payments.provider_not_set_up` (also where the one before was
 * begun), and what the provider throws.
 */
export async function beginSubscription(
  ctx: Ctx,
  caller: Caller,
  { planId, provider: name }: { planId: string; provider?: ProviderName },
): Promise<OpenedSubscription> {
  const provider = ctx.payments.provider(name);
  const { ordered, others } = await ctx.db.asServiceFor(caller, async (tx) => ({
    ordered: await findPlan(tx, planId),
    others: await findUnended(tx, caller.userId),
  }));
  for (const row of others) if (isLeftTest(ctx, row)) await endLeftTest(ctx, row);
  const waiting = others.filter((row) => waits(row) && !isLeftTest(ctx, row));
  const stale = waiting.filter((row) => !isSame(ctx, row, ordered, provider));
  for (const row of stale) await closeCheckout(ctx, row);
  const { subscription, user } = await ctx.db.asServiceFor(caller, (tx) =>
    claimSubscription(ctx, tx, { userId: caller.userId, ordered, provider }),
  );
  await reachFaultPoint('subscription.begun');
  const { checkoutUrl, checkoutExpiresAt } = subscription;
  if (checkoutUrl !== null && checkoutExpiresAt !== null) {
    return { subscriptionId: subscription.id, checkoutUrl, expiresAt: checkoutExpiresAt.toISOString() };
  }
  return openCheckout(ctx, { subscription, user, ordered, provider });
}

/** Those of a person that wait to be paid, or live. */
async function findUnended(tx: Tx, userId: string): Promise<Subscription[]> {
  return tx
    .select()
    .from(subscriptions)
    .where(and(eq(subscriptions.userId, userId), inArray(subscriptions.status, ['opening', ...liveStatuses])))
    .orderBy(desc(subscriptions.createdAt));
}

/** Whether one waits to be paid for the first time. */
function waits({ status }: Subscription): boolean {
  return status === 'opening' || status === 'incomplete';
}

/** Whether a checkout that waits is for this very order, and can still be paid. */
function isSame(ctx: Ctx, row: Subscription, { version }: Ordered, provider: PaymentProvider): boolean {
  return (
    row.status === 'opening' &&
    row.planId === version.planId &&
    row.version === version.version &&
    row.provider === provider.name &&
    row.isLive === provider.isLive &&
    isPayable(ctx, row)
  );
}

/** One whose answer was lost is asked for again with the very same words, while Stripe opens it so. */
function isPayable(ctx: Ctx, row: Subscription): boolean {
  const now = ctx.clock.now().getTime();
  return row.checkoutExpiresAt === null
    ? endOfCheckout(row).getTime() - openableMs > now
    : row.checkoutExpiresAt.getTime() > now;
}

function endOfCheckout({ createdAt }: Subscription): Date {
  return new Date(createdAt.getTime() + checkoutMs);
}

/** Sees to it that a checkout is paid no more. Throws `payments.subscribed_already` when it was meanwhile. */
async function closeCheckout(ctx: Ctx, row: Subscription): Promise<void> {
  const status = await leaveCheckout(ctx, row);
  if (status === 'opening' || liveStatuses.includes(status))
    throw new AppError('payments.subscribed_already');
}

/** The row of the order, made unless one for the same order waits; one person after the other. */
async function claimSubscription(
  ctx: Ctx,
  tx: Tx,
  order: { userId: string; ordered: Ordered; provider: PaymentProvider },
): Promise<{ subscription: Subscription; user: User }> {
  const { userId, ordered, provider } = order;
  const user = await lockUser(tx, userId);
  const others = await tx
    .select()
    .from(subscriptions)
    .where(
      and(
        eq(subscriptions.userId, userId),
        sql`${subscriptions.status} in ('opening', 'incomplete', 'active', 'past_due')`,
      ),
    );
  const same = others.find((row) => isSame(ctx, row, ordered, provider));
  if (others.some((row) => row !== same)) throw new AppError('payments.subscribed_already');
  return { subscription: same ?? (await insertSubscription(ctx, tx, userId, ordered, provider)), user };
}

async function insertSubscription(
  ctx: Ctx,
  tx: Tx,
  userId: string,
  { version }: Ordered,
  provider: PaymentProvider,
): Promise<Subscription> {
  const now = ctx.clock.now();
  const [row] = await tx
    .insert(subscriptions)
    .values({
      id: newId(ctx),
      userId,
      planId: version.planId,
      version: version.version,
      billedPlanId: version.planId,
      billedVersion: version.version,
      provider: provider.name,
      isLive: provider.isLive,
      status: 'opening',
      cancelsAtPeriodEnd: false,
      createdAt: now,
      updatedAt: now,
    })
    .returning();
  if (!row) throw new Error('the subscription was not written');
  return row;
}

/**
 * Opens the checkout; the call is keyed by the subscription and says the same each time, so that asking again
 * opens no second one.
 */
async function openCheckout(
  ctx: Ctx,
  order: { subscription: Subscription; user: User; ordered: Ordered; provider: PaymentProvider },
): Promise<OpenedSubscription> {
  const { subscription, user, ordered, provider } = order;
  const { checkoutId, url, expiresAt } = await provider.openSubscription({
    subscriptionId: subscription.id,
    userId: user.id,
    email: user.email,
    customerId: provider.name === 'stripe' ? user.stripeCustomerId : user.paypalCustomerId,
    title: ordered.plan.name,
    providerPriceId: await ensurePriceOf(ctx, provider, ordered.plan, ordered.version),
    successUrl: creditsAddress(ctx, { subscription: subscription.id }),
    cancelUrl: creditsAddress(ctx),
    expiresAt: endOfCheckout(subscription),
  });
  await reachFaultPoint('subscription.opened');
  await ctx.db.asService((tx) =>
    tx
      .update(subscriptions)
      .set({ checkoutId, checkoutUrl: url, checkoutExpiresAt: expiresAt, updatedAt: ctx.clock.now() })
      .where(eq(subscriptions.id, subscription.id)),
  );
  await reachFaultPoint('subscription.attached');
  return { subscriptionId: subscription.id, checkoutUrl: url, expiresAt: expiresAt.toISOString() };
}
