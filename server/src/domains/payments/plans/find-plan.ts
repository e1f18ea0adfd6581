import { and, eq } from 'drizzle-orm';
import type { Tx } from '../../../db/index.ts';
import { AppError } from '../../../errors.ts';
import { plans, planVersions } from '../plan-tables.ts';
import type { Plan, PlanVersion } from './to-plan-view.ts';

/** A plan that can be subscribed to now, with its present terms. Throws `request.not_found`. */
export async function findPlan(tx: Tx, planId: string): Promise<{ plan: Plan; version: PlanVersion }> {
  const [row] = await tx
    .select({ plan: plans, version: planVersions })
    .from(plans)
    .innerJoin(planVersions, and(eq(planVersions.planId, plans.id), eq(planVersions.version, plans.version)))
    .where(and(eq(plans.id, planId), eq(plans.isActive, true)));
  if (!row) throw new AppError('request.not_found');
  return row;
}
