import { and, desc, eq, gte, notExists } from 'drizzle-orm';
import type { Ctx } from '../../../ctx.ts';
import type { Caller, Tx } from '../../../db/index.ts';
import { AppError } from '../../../errors.ts';
import { reachFaultPoint } from '../../../lib/fault-points.ts';
import { newId } from '../../../lib/ids.ts';
import { creditsAddress } from '../../credits/index.ts';
import { periods, planChanges, plans, planVersions } from '../plan-tables.ts';
import { findPlan } from '../plans/find-plan.ts';
import type { Plan, PlanVersion } from '../plans/to-plan-view.ts';
import { providerOf } from '../provider-of.ts';
import { ensurePriceOf } from './ensure-price-of.ts';
import { findSubscription, type Subscription } from './find-subscription.ts';
import { readSubscription } from './read-subscription.ts';
import type { ChangedSubscription } from './schemas.ts';

type Change = {
  subscription: Subscription;
  providerSubscriptionId: string;
  current: PlanVersion;
  plan: Plan;
  next: PlanVersion;
};

/**
 * Puts the caller's subscription on another plan, by the terms that it has now. A dearer one counts at once:
 * the provider bills the difference for the rest of the period, and once that is paid the difference in
 * credits is there. Any other counts from the next period on, and so does a dearer one where the provider
 * cannot bill the rest of a period. Throws `auth.session_ended`,
 * `payments.no_subscription`, `payments.subscription_state`, `request.not_found` (the plan),
 * `payments.plan_not_comparable`, and what the provider throws.
 */
export async function changePlanOfSubscription(
  ctx: Ctx,
  caller: Caller,
  planId: string,
): Promise<ChangedSubscription> {
  const change = await ctx.db.asServiceFor(caller, (tx) =>
    findChange(tx, caller.userId, { planId, now: ctx.clock.now() }),
  );
  const approvalUrl = await askProvider(ctx, change);
  return { ...(await readSubscription(ctx, caller)), approvalUrl };
}

async function findChange(
  tx: Tx,
  userId: string,
  { planId, now }: { planId: string; now: Date },
): Promise<Change> {
  const subscription = await findSubscription(tx, userId);
  if (!subscription || subscription.status === 'ended') throw new AppError('payments.no_subscription');
  const { providerSubscriptionId, status, paidUntil, cancelsAtPeriodEnd } = subscription;
  const isPaid = status === 'active' && paidUntil !== null && paidUntil > now && !cancelsAtPeriodEnd;
  if (!isPaid || providerSubscriptionId === null) throw new AppError('payments.subscription_state');
  const current = await readVersion(tx, subscription);
  const { plan, version: next } = await findTarget(tx, subscription, current, planId);
  if (next.billingInterval !== current.billingInterval || next.currency !== current.currency) {
    throw new AppError('payments.plan_not_comparable');
  }
  return { subscription, providerSubscriptionId, current, plan, next };
}

/** The present terms of a plan; one's own as one has them, where that takes back a change to come. */
async function findTarget(
  tx: Tx,
  subscription: Subscription,
  current: PlanVersion,
  planId: string,
): Promise<{ plan: Plan; version: PlanVersion }> {
  const { billedPlanId, billedVersion } = subscription;
  const isChanging = billedPlanId !== current.planId || billedVersion !== current.version;
  if (planId !== current.planId || !isChanging) return findPlan(tx, planId);
  const [plan] = await tx.select().from(plans).where(eq(plans.id, planId));
  if (!plan) throw new Error(`plan ${planId} is not there`);
  return { plan, version: current };
}

async function readVersion(tx: Tx, { planId, version }: Subscription): Promise<PlanVersion> {
  const [row] = await tx
    .select()
    .from(planVersions)
    .where(and(eq(planVersions.planId, planId), eq(planVersions.version, version)));
  if (!row) throw new Error(`version ${version} of plan ${planId} is not there`);
  return row;
}

/** Has the provider change the price. Returns where the change is to be agreed to, unless it is done. */
async function askProvider(ctx: Ctx, change: Change): Promise<string | null> {
  const { subscription, current, next } = change;
  const { changesAtOnce } = providerOf(ctx, subscription);
  const isImmediate = changesAtOnce && next.priceCents > current.priceCents;
  const isBilled = (version: PlanVersion) =>
    version.planId === subscription.billedPlanId && version.version === subscription.billedVersion;
  if (!isImmediate) return isBilled(next) ? null : setPrice(ctx, change, next, newId(ctx), false);
  // What is billed at once is the difference to the price that stands at the provider: the one that was paid.
  if (!isBilled(current)) await setPrice(ctx, change, current, newId(ctx), false);
  const changeId = await noteChange(ctx, change);
  await reachFaultPoint('subscription.change-noted');
  try {
    return await setPrice(ctx, change, next, changeId, true);
  } catch (error) {
    // Another card makes another try, under another key; whoever was not answered asks the same again.
    if (error instanceof AppError && error.code === 'payments.provider_refused') {
      await ctx.db.asService((tx) => tx.delete(planChanges).where(eq(planChanges.id, changeId)));
    }
    throw error;
  }
}

/** Has the provider put the subscription on a price, and applies what it answers. */
async function setPrice(ctx: Ctx, change: Change, to: PlanVersion, changeId: string, isImmediate: boolean) {
  const { subscription, providerSubscriptionId, plan } = change;
  const provider = providerOf(ctx, subscription);
  const providerPriceId = await ensurePriceOf(ctx, provider, plan, to);
  const returnUrl = creditsAddress(ctx);
  const order = { providerSubscriptionId, providerPriceId, changeId, isImmediate, returnUrl };
  const { fact, approvalUrl } = await provider.changeSubscription(order);
  await reachFaultPoint('subscription.changed');
  if (fact) await ctx.payments.applyFacts(provider, [fact]);
  return approvalUrl;
}

/** Notes a change before it is asked for, since its bill may be here before the answer. Its id. */
async function noteChange(ctx: Ctx, { subscription, current, next }: Change): Promise<string> {
  return ctx.db.asService(async (tx) => {
    const [known] = await tx
      .select({ id: planChanges.id })
      .from(planChanges)
      .where(
        and(
          eq(planChanges.subscriptionId, subscription.id),
          eq(planChanges.fromPlanId, current.planId),
          eq(planChanges.fromVersion, current.version),
          eq(planChanges.toPlanId, next.planId),
          eq(planChanges.toVersion, next.version),
          gte(planChanges.createdAt, subscription.periodStart ?? subscription.createdAt),
          // One that was billed is done; another one is another change.
          notExists(
            tx.select({ id: periods.id }).from(periods).where(eq(periods.planChangeId, planChanges.id)),
          ),
        ),
      )
      .orderBy(desc(planChanges.createdAt))
      .limit(1);
    if (known) return known.id;
    const id = newId(ctx);
    await tx.insert(planChanges).values({
      id,
      subscriptionId: subscription.id,
      fromPlanId: current.planId,
      fromVersion: current.version,
      toPlanId: next.planId,
      toVersion: next.version,
      createdAt: ctx.clock.now(),
    });
    return id;
  });
}
