import { and, eq, ne } from 'drizzle-orm';
import type { Ctx } from '../../ctx.ts';
import type { Caller, Tx } from '../../db/index.ts';
import { AppError } from '../../errors.ts';
import { recordAuditEvent, type RequestOrigin } from '../audit/index.ts';
import { recordSecurityEvent } from '../auth/index.ts';
import { endAccess } from './end-access.ts';
import { findMember } from './list-members.ts';
import { requireAdmin } from './require-admin.ts';
import { adminRole } from './resolve-roles.ts';
import { memberships } from './tables.ts';

/**
 * Takes a person's access to an application away, and with it their consent, the tokens issued under it and
 * the leave to spend. Throws `request.not_found`, `applications.admin_required`, `applications.last_admin`.
 */
export async function removeMember(
  ctx: Ctx,
  caller: Caller,
  { id, userId }: { id: string; userId: string },
  origin: RequestOrigin,
): Promise<void> {
  await ctx.db.asServiceFor(caller, async (tx) => {
    const { clientId } = await requireAdmin(tx, caller.userId, id);
    const member = await findMember(tx, id, userId);
    if (!member) throw new AppError('request.not_found');
    if (member.role === adminRole) await assertOtherAdmin(tx, id, userId);
    await tx
      .delete(memberships)
      .where(and(eq(memberships.applicationId, id), eq(memberships.userId, userId)));
    await endAccess(ctx, tx, { applicationId: id, clientId, userId });
    const event = { action: 'member.removed' as const, actor: { type: 'user' as const, id: caller.userId } };
    const target = { type: 'application', id };
    await recordAuditEvent(ctx, tx, { ...event, target, details: { userId, role: member.role } }, origin);
    const details = { applicationId: id, role: member.role };
    await recordSecurityEvent(ctx, tx, { type: 'access.removed', userId, details }, null);
  });
}

/**
 * Throws `applications.last_admin` when nobody but this person administers the application. The application
 * is locked, so two administrators cannot remove each other at the same moment.
 */
export async function assertOtherAdmin(tx: Tx, applicationId: string, userId: string): Promise<void> {
  const others = await tx.$count(
    memberships,
    and(
      eq(memberships.applicationId, applicationId),
      eq(memberships.role, adminRole),
      ne(memberships.userId, userId),
    ),
  );
  if (others === 0) throw new AppError('applications.last_admin');
}
