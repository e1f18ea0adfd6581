import { and, eq } from 'drizzle-orm';
import type { Ctx } from '../../../ctx.ts';
import type { Caller, Tx } from '../../../db/index.ts';
import { AppError } from '../../../errors.ts';
import { recordAuditEvent, type RequestOrigin } from '../../audit/index.ts';
import { plans, planVersions } from '../plan-tables.ts';
import { assertTerms } from './assert-terms.ts';
import type { PlanChanges, PlanView } from './schemas.ts';
import { toPlanView, type Plan, type PlanVersion } from './to-plan-view.ts';

/**
 * Changes a plan. Other terms are a new version: whoever has subscribed keeps theirs until they change by
 * themselves. A plan that is switched off takes nobody new and goes on for those who have it. Throws
 * `request.invalid`, `auth.session_ended`, `auth.admin_required`, `request.not_found`.
 */
export async function changePlan(
  ctx: Ctx,
  caller: Caller,
  { planId, ...changes }: { planId: string } & PlanChanges,
  origin: RequestOrigin,
): Promise<PlanView> {
  return ctx.db.asAdministrator(caller, async (tx) => {
    const { plan, version } = await lockPlan(tx, planId);
    const changed = changeTerms(version, changes);
    const isOther = JSON.stringify(changed) !== JSON.stringify(version);
    const now = ctx.clock.now();
    const newest: PlanVersion = isOther
      ? { ...changed, version: plan.version + 1, createdBy: caller.userId, createdAt: now }
      : version;
    if (isOther) await tx.insert(planVersions).values(newest);
    const { name = plan.name, position = plan.position, active: isActive = plan.isActive } = changes;
    const description = changes.description === undefined ? plan.description : changes.description;
    const set = { name, description, position, isActive, version: newest.version, updatedAt: now };
    await tx.update(plans).set(set).where(eq(plans.id, planId));
    const actor = { type: 'user', id: caller.userId } as const;
    const details = { fields: Object.keys(changes), version: newest.version };
    const target = { type: 'plan', id: planId };
    await recordAuditEvent(ctx, tx, { action: 'plan.changed', actor, target, details }, origin);
    return toPlanView(ctx, { ...plan, ...set }, newest);
  });
}

/** The plan with its present terms, locked, so that two changes at once are two versions. */
async function lockPlan(tx: Tx, planId: string): Promise<{ plan: Plan; version: PlanVersion }> {
  const [plan] = await tx.select().from(plans).where(eq(plans.id, planId)).for('no key update');
  if (!plan) throw new AppError('request.not_found');
  const [version] = await tx
    .select()
    .from(planVersions)
    .where(and(eq(planVersions.planId, planId), eq(planVersions.version, plan.version)));
  if (!version) throw new Error(`plan ${planId} has no version ${plan.version}`);
  return { plan, version };
}

function changeTerms(version: PlanVersion, changes: PlanChanges): PlanVersion {
  const { rollover = version.rollover } = changes;
  const kept = changes.rollover === undefined || rollover === 'capped' ? version.rolloverCap : null;
  const { rolloverCap = kept } = changes;
  assertTerms({ rollover, rolloverCap });
  return {
    ...version,
    priceCents: changes.priceCents ?? version.priceCents,
    currency: changes.currency ?? version.currency,
    taxBehavior: changes.taxBehavior ?? version.taxBehavior,
    billingInterval: changes.interval ?? version.billingInterval,
    credits: changes.credits ?? version.credits,
    rollover,
    rolloverCap,
    graceDays: changes.graceDays ?? version.graceDays,
  };
}
