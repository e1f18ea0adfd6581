import { and, eq, gte, notExists } from 'drizzle-orm';
import type { Ctx } from '../../../ctx.ts';
import type { Caller, Tx } from '../../../db/index.ts';
import { AppError } from '../../../errors.ts';
import { reachFaultPoint } from '../../../lib/fault-points.ts';
import { newId } from '../../../lib/ids.ts';
import { creditsAddress } from '../../credits/index.ts';
import { periods, planChanges, plans, planVersions, subscriptions } from '../plan-tables.ts';
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
  /** The same change, when it was asked for before and is not billed yet. */
  pendingId: string | null;
};

/** For so long nobody else changes the plan: longer than calls of a provider take with all retries. */
const changingMs = 10 * 60_000;
/** How long a change that was asked for is waited for. Its key at the provider lives as long. */
const awaitedMs = 24 * 3_600_000;

/**
 * Puts the caller's subscription on another plan, by the terms that it has now. A dearer one counts at once:
 * the provider bills the difference for the rest of the period, and once that is paid the difference in
 * credits is there. Any other counts from the next period on, and so does a dearer one where the provider
 * cannot bill the rest of a period. One change comes after the other: while one is being made, or its bill is
 * not here, another is refused, since it would be billed by a plan that counts no more. Throws
 * `auth.session_ended`, `payments.no_subscription`, `payments.subscription_state`, `request.not_found` (the
 * plan), `payments.plan_not_comparable`, and what the provider throws.
 */
export async function changePlanOfSubscription(
  ctx: Ctx,
  caller: Caller,
  planId: string,
): Promise<ChangedSubscription> {
  const change = await ctx.db.asServiceFor(caller, (tx) => claimChange(ctx, tx, caller.userId, planId));
  try {
    const approvalUrl = await askProvider(ctx, change);
    return { ...(await readSubscription(ctx, caller)), approvalUrl };
  } finally {
    await release(ctx, change.subscription);
  }
}

/** The change, with its subscription in our hands until it is made. */
async function claimChange(ctx: Ctx, tx: Tx, userId: string, planId: string): Promise<Change> {
  const subscription = await lockSubscription(tx, userId);
  const now = ctx.clock.now();
  const { providerSubscriptionId, status, paidUntil, cancelsAtPeriodEnd } = subscription;
  const isPaid = status === 'active' && paidUntil !== null && paidUntil > now && !cancelsAtPeriodEnd;
  if (!isPaid || providerSubscriptionId === null) throw new AppError('payments.subscription_state');
  const current = await readVersion(tx, subscription);
  const { plan, version: next } = await findTarget(tx, subscription, current, planId);
  if (next.billingInterval !== current.billingInterval || next.currency !== current.currency) {
    throw new AppError('payments.plan_not_comparable');
  }
  const pendingId = await findPending(tx, subscription, { current, next, now });
  const isChanging = subscription.changeEndsAt !== null && subscription.changeEndsAt > now;
  // Whoever was not answered asks the same again, which is one call under one key.
  if (isChanging && pendingId === null) throw new AppError('payments.subscription_state');
  const changeEndsAt = new Date(now.getTime() + changingMs);
  await tx.update(subscriptions).set({ changeEndsAt }).where(eq(subscriptions.id, subscription.id));
  return {
    subscription: { ...subscription, changeEndsAt },
    providerSubscriptionId,
    current,
    plan,
    next,
    pendingId,
  };
}

async function lockSubscription(tx: Tx, userId: string): Promise<Subscription> {
  const found = await findSubscription(tx, userId);
  if (!found || found.status === 'ended') throw new AppError('payments.no_subscription');
  const [locked] = await tx
    .select()
    .from(subscriptions)
    .where(eq(subscriptions.id, found.id))
    .for('no key update');
  return locked ?? found;
}

async function release(ctx: Ctx, { id, changeEndsAt }: Subscription): Promise<void> {
  if (changeEndsAt === null) return;
  await ctx.db.asService((tx) =>
    tx
      .update(subscriptions)
      .set({ changeEndsAt: null })
      .where(and(eq(subscriptions.id, id), eq(subscriptions.changeEndsAt, changeEndsAt))),
  );
}

/**
 * The change that was asked for within the period and is not billed yet, if it is this one. Throws
 * `payments.subscription_state` when it is another. After a day nobody waits for it: its bill has come by
 * itself or by the comparison of the night, or nothing has come of it. If something has and was not heard of,
 * the provider refuses: the subscription does not stand on the price that the next change goes from.
 */
async function findPending(
  tx: Tx,
  subscription: Subscription,
  { current, next, now }: Pick<Change, 'current' | 'next'> & { now: Date },
): Promise<string | null> {
  const since = new Date(
    Math.max((subscription.periodStart ?? subscription.createdAt).getTime(), now.getTime() - awaitedMs),
  );
  const rows = await tx
    .select()
    .from(planChanges)
    .where(
      and(
        eq(planChanges.subscriptionId, subscription.id),
        gte(planChanges.createdAt, since),
        notExists(
          tx.select({ id: periods.id }).from(periods).where(eq(periods.planChangeId, planChanges.id)),
        ),
      ),
    );
  const isThis = ({ fromPlanId, fromVersion, toPlanId, toVersion }: (typeof rows)[0]) =>
    fromPlanId === current.planId &&
    fromVersion === current.version &&
    toPlanId === next.planId &&
    toVersion === next.version;
  if (!rows.every(isThis)) throw new AppError('payments.subscription_state');
  return rows[0]?.id ?? null;
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
  const { subscription, current, plan, next, pendingId } = change;
  const provider = providerOf(ctx, subscription);
  const isImmediate = provider.changesAtOnce && next.priceCents > current.priceCents;
  const isBilled = (version: PlanVersion) =>
    version.planId === subscription.billedPlanId && version.version === subscription.billedVersion;
  if (isBilled(next) && (pendingId !== null || !isImmediate)) return null;
  const toId = await ensurePriceOf(ctx, provider, plan, next);
  let fromId = subscription.providerPriceId ?? '';
  if (!isImmediate) return setPrice(ctx, change, { fromId, toId, changeId: newId(ctx), isImmediate });
  // What is billed at once is the difference to the price that stands at the provider: the one that was paid.
  if (!isBilled(current)) {
    const currentId = await ensurePriceOf(ctx, provider, plan, current);
    await setPrice(ctx, change, { fromId, toId: currentId, changeId: newId(ctx), isImmediate: false });
    fromId = currentId;
  }
  const changeId = pendingId ?? (await noteChange(ctx, change));
  await reachFaultPoint('subscription.change-noted');
  try {
    return await setPrice(ctx, change, { fromId, toId, changeId, isImmediate });
  } catch (error) {
    // Another card makes another try, under another key; whoever was not answered asks the same again.
    if (isUndone(error, pendingId !== null)) {
      await ctx.db.asService((tx) => tx.delete(planChanges).where(eq(planChanges.id, changeId)));
    }
    throw error;
  }
}

/** Whether nothing has come of a change; one that was asked for before may have been made then. */
function isUndone(error: unknown, wasAskedBefore: boolean): boolean {
  if (!(error instanceof AppError)) return false;
  const isElsewhere = error.code === 'payments.subscription_state' && !wasAskedBefore;
  return error.code === 'payments.provider_refused' || isElsewhere;
}

type Step = { fromId: string; toId: string; changeId: string; isImmediate: boolean };

/** Has the provider put the subscription on a price, and applies what it answers. */
async function setPrice(
  ctx: Ctx,
  { subscription, providerSubscriptionId }: Change,
  { fromId, toId, changeId, isImmediate }: Step,
): Promise<string | null> {
  const provider = providerOf(ctx, subscription);
  const { fact, approvalUrl } = await provider.changeSubscription({
    providerSubscriptionId,
    expectedPriceId: fromId,
    providerPriceId: toId,
    changeId,
    isImmediate,
    returnUrl: creditsAddress(ctx),
  });
  await reachFaultPoint('subscription.changed');
  if (fact) await ctx.payments.applyFacts(provider, [fact]);
  return approvalUrl;
}

/** Notes a change before it is asked for, since its bill may be here before the answer. Its id. */
async function noteChange(ctx: Ctx, { subscription, current, next }: Change): Promise<string> {
  const id = newId(ctx);
  await ctx.db.asService((tx) =>
    tx.insert(planChanges).values({
      id,
      subscriptionId: subscription.id,
      fromPlanId: current.planId,
      fromVersion: current.version,
      toPlanId: next.planId,
      toVersion: next.version,
      createdAt: ctx.clock.now(),
    }),
  );
  return id;
}
