import type { Ctx } from '../../../ctx.ts';
import type { plans, planVersions } from '../plan-tables.ts';
import type { PlanView } from './schemas.ts';

export type Plan = typeof plans.$inferSelect;
export type PlanVersion = typeof planVersions.$inferSelect;

/** The terms of a plan as the API shows them. */
export function toTerms(version: PlanVersion) {
  const { priceCents, currency, taxBehavior, credits, rollover, rolloverCap, graceDays } = version;
  const interval = version.billingInterval;
  return { priceCents, currency, taxBehavior, interval, credits, rollover, rolloverCap, graceDays };
}

/** A plan with some version of its terms as the API shows it. */
export function toPlanView(ctx: Ctx, plan: Plan, version: PlanVersion): PlanView {
  const { id, name, description, position } = plan;
  const shown = { id, name, description, position, active: plan.isActive, version: version.version };
  return { ...shown, ...toTerms(version), scale: ctx.config.creditsScale };
}
