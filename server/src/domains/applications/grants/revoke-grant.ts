import { and, eq, isNull } from 'drizzle-orm';
import type { Ctx } from '../../../ctx.ts';
import type { Caller } from '../../../db/index.ts';
import { AppError } from '../../../errors.ts';
import { recordAuditEvent, type RequestOrigin } from '../../audit/index.ts';
import { recordSecurityEvent } from '../../auth/index.ts';
import { endAccess } from '../end-access.ts';
import { applications, grants } from '../tables.ts';

/**
 * Takes back what the caller consented to for an application: its tokens and its leave to spend are dead at
 * once. Their membership stays; signing in to it again asks for consent anew. Throws `request.not_found`,
 * also the second time.
 */
export async function revokeGrant(
  ctx: Ctx,
  caller: Caller,
  id: string,
  origin: RequestOrigin,
): Promise<void> {
  const { userId, sessionId } = caller;
  await ctx.db.asServiceFor(caller, async (tx) => {
    const isLive = and(eq(grants.id, id), eq(grants.userId, userId), isNull(grants.revokedAt));
    const locked = await tx.select({ id: grants.id }).from(grants).where(isLive).for('no key update');
    if (locked.length === 0) throw new AppError('request.not_found');
    const [grant] = await tx
      .select({ applicationId: grants.applicationId, clientId: applications.clientId })
      .from(grants)
      .innerJoin(applications, eq(applications.id, grants.applicationId))
      .where(isLive);
    if (!grant) throw new AppError('request.not_found');
    await endAccess(ctx, tx, { ...grant, userId });
    const target = { type: 'application', id: grant.applicationId };
    const actor = { type: 'user' as const, id: userId };
    await recordAuditEvent(ctx, tx, { action: 'grant.revoked', actor, target }, origin);
    await recordSecurityEvent(ctx, tx, { type: 'grant.revoked', userId, sessionId, details: grant }, origin);
  });
}
