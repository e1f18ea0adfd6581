import { eq } from 'drizzle-orm';
import type { Ctx } from '../../ctx.ts';
import type { Caller, Tx } from '../../db/index.ts';
import { recordAuditEvent, type RequestOrigin } from '../audit/index.ts';
import { endMandates } from '../credits/index.ts';
import { requireAdmin } from './require-admin.ts';
import { applications, grants } from './tables.ts';

/**
 * Deletes an application with its secrets, members, consents and tokens, and ends what it may spend. What
 * it spent stays in the journal under its client id, which is never given again. Throws
 * `request.not_found`, `applications.admin_required`.
 */
export async function deleteApplication(
  ctx: Ctx,
  caller: Caller,
  id: string,
  origin: RequestOrigin,
): Promise<void> {
  await ctx.db.asServiceFor(caller, async (tx) => {
    const { clientId, name } = await requireAdmin(tx, caller.userId, id);
    await lockGrants(tx, id);
    await endMandates(ctx, tx, { clientId, userId: null });
    await tx.delete(applications).where(eq(applications.id, id));
    const event = {
      action: 'application.deleted' as const,
      actor: { type: 'user' as const, id: caller.userId },
    };
    const target = { type: 'application', id };
    await recordAuditEvent(ctx, tx, { ...event, target, details: { clientId, name } }, origin);
  });
}

/**
 * Waits for whoever is getting tokens right now, who locks the grant first, so that nobody waits in a circle.
 */
async function lockGrants(tx: Tx, applicationId: string): Promise<void> {
  await tx
    .select({ id: grants.id })
    .from(grants)
    .where(eq(grants.applicationId, applicationId))
    .orderBy(grants.id)
    .for('update');
}
