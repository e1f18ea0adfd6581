import { and, eq, or } from 'drizzle-orm';
import type { Ctx } from '../../../ctx.ts';
import type { Caller, Tx } from '../../../db/index.ts';
import { AppError } from '../../../errors.ts';
import { plans, planVersions } from '../plan-tables.ts';
import type { PlanView } from '../plans/schemas.ts';
import { toPlanView } from '../plans/to-plan-view.ts';
import { findSubscription, type Subscription } from './find-subscription.ts';
import type { SubscriptionView } from './schemas.ts';

/**
 * The subscription of the caller, with its plan. Throws `auth.session_ended`, `payments.no_subscription`.
 */
export async function readSubscription(ctx: Ctx, caller: Caller): Promise<SubscriptionView> {
  return ctx.db.asServiceFor(caller, async (tx) => {
    const subscription = await findSubscription(tx, caller.userId);
    if (!subscription) throw new AppError('payments.no_subscription');
    return toSubscriptionView(ctx, tx, subscription);
  });
}

/** A subscription as the API shows it. `tx` is the service's. */
export async function toSubscriptionView(ctx: Ctx, tx: Tx, row: Subscription): Promise<SubscriptionView> {
  const { planId, version, billedPlanId, billedVersion } = row;
  const rows = await tx
    .select({ plan: plans, terms: planVersions })
    .from(planVersions)
    .innerJoin(plans, eq(plans.id, planVersions.planId))
    .where(
      or(
        and(eq(planVersions.planId, planId), eq(planVersions.version, version)),
        and(eq(planVersions.planId, billedPlanId), eq(planVersions.version, billedVersion)),
      ),
    );
  const viewOf = (id: string, number: number): PlanView => {
    const found = rows.find(({ terms }) => terms.planId === id && terms.version === number);
    if (!found) throw new Error(`version ${number} of plan ${id} is not there`);
    return toPlanView(ctx, found.plan, found.terms);
  };
  const isChanging = planId !== billedPlanId || version !== billedVersion;
  const goesOn = row.status !== 'ended' && !row.cancelsAtPeriodEnd;
  return {
    id: row.id,
    status: row.status === 'abandoned' ? 'ended' : row.status,
    plan: viewOf(planId, version),
    nextPlan: isChanging && goesOn ? viewOf(billedPlanId, billedVersion) : null,
    provider: row.provider,
    periodStart: row.periodStart?.toISOString() ?? null,
    periodEnd: row.periodEnd?.toISOString() ?? null,
    paidUntil: row.paidUntil?.toISOString() ?? null,
    cancelsAtPeriodEnd: row.cancelsAtPeriodEnd,
    endedAt: row.endedAt?.toISOString() ?? null,
    checkoutUrl: row.status === 'opening' ? row.checkoutUrl : null,
    createdAt: row.createdAt.toISOString(),
  };
}
