import { and, asc, desc, eq, sql } from 'drizzle-orm';
import type { Ctx } from '../../../ctx.ts';
import type { Caller, Tx } from '../../../db/index.ts';
import { plans, planVersions, subscriptions } from '../plan-tables.ts';
import type { PlanView, PlanWithVersions } from './schemas.ts';
import { toPlanView, toTerms } from './to-plan-view.ts';

const ofItsVersion = and(eq(planVersions.planId, plans.id), eq(planVersions.version, plans.version));

/** What anybody can subscribe to now, in the order in which it is offered. */
export async function listPlans(ctx: Ctx): Promise<PlanView[]> {
  const rows = await ctx.db.asService((tx) =>
    tx
      .select({ plan: plans, version: planVersions })
      .from(plans)
      .innerJoin(planVersions, ofItsVersion)
      .where(eq(plans.isActive, true))
      .orderBy(asc(plans.position), asc(plans.id)),
  );
  return rows.map(({ plan, version }) => toPlanView(ctx, plan, version));
}

/**
 * All plans with all versions of their terms, and how many have subscribed, for administrators. Throws
 * `auth.session_ended`, `auth.admin_required`.
 */
export async function listPlansWithVersions(ctx: Ctx, caller: Caller): Promise<PlanWithVersions[]> {
  const [rows, versions] = await ctx.db.asAdministrator(caller, async (tx) => [
    await selectWithSubscribers(tx),
    await tx.select().from(planVersions).orderBy(desc(planVersions.version)),
  ]);
  return rows.map(({ plan, version, subscribers }) => ({
    ...toPlanView(ctx, plan, version),
    subscribers,
    versions: versions
      .filter(({ planId }) => planId === plan.id)
      .map((one) => ({ version: one.version, ...toTerms(one), createdAt: one.createdAt.toISOString() })),
  }));
}

function selectWithSubscribers(tx: Tx) {
  const isLive = sql`${subscriptions.status} in ('incomplete', 'active', 'past_due')`;
  return tx
    .select({
      plan: plans,
      version: planVersions,
      subscribers: sql<number>`(
        select count(*)::integer from ${subscriptions} where ${subscriptions.planId} = ${plans.id} and ${isLive})`,
    })
    .from(plans)
    .innerJoin(planVersions, ofItsVersion)
    .orderBy(asc(plans.position), asc(plans.id));
}
