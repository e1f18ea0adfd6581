import type { Ctx } from '../../../ctx.ts';
import { violatedConstraint, type Caller } from '../../../db/index.ts';
import { AppError } from '../../../errors.ts';
import { recordAuditEvent, type RequestOrigin } from '../../audit/index.ts';
import { plans, planVersions } from '../plan-tables.ts';
import { assertTerms } from './assert-terms.ts';
import type { NewPlan, PlanView } from './schemas.ts';
import { toPlanView, type Plan, type PlanVersion } from './to-plan-view.ts';

/**
 * Makes a plan that people can subscribe to from now on. Throws `request.invalid`, `auth.session_ended`,
 * `auth.admin_required`, `payments.plan_taken`.
 */
export async function createPlan(
  ctx: Ctx,
  caller: Caller,
  given: NewPlan,
  origin: RequestOrigin,
): Promise<PlanView> {
  const { plan, version } = toRows(ctx, caller, given);
  try {
    await ctx.db.asAdministrator(caller, async (tx) => {
      await tx.insert(plans).values(plan);
      await tx.insert(planVersions).values(version);
      const actor = { type: 'user', id: caller.userId } as const;
      const target = { type: 'plan', id: plan.id };
      const details = {
        priceCents: version.priceCents,
        currency: version.currency,
        credits: version.credits,
      };
      await recordAuditEvent(ctx, tx, { action: 'plan.created', actor, target, details }, origin);
    });
  } catch (error) {
    if (violatedConstraint(error) !== 'plans_pkey') throw error;
    throw new AppError('payments.plan_taken', { cause: error });
  }
  return toPlanView(ctx, plan, version);
}

/** The rows of a new plan. `free` is what those have who have none. */
function toRows(ctx: Ctx, caller: Caller, given: NewPlan): { plan: Plan; version: PlanVersion } {
  if (given.id === 'free') throw new AppError('payments.plan_taken');
  const { rollover = 'none', rolloverCap = null, taxBehavior = 'inclusive', graceDays = 7 } = given;
  assertTerms({ rollover, rolloverCap });
  const now = ctx.clock.now();
  const { id, name, description = null, position = 0, priceCents, currency, credits } = given;
  return {
    plan: { id, name, description, position, version: 1, isActive: true, createdAt: now, updatedAt: now },
    version: {
      planId: id,
      version: 1,
      priceCents,
      currency,
      taxBehavior,
      billingInterval: given.interval,
      credits,
      rollover,
      rolloverCap,
      graceDays,
      createdBy: caller.userId,
      createdAt: now,
    },
  };
}
