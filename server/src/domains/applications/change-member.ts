import { and, eq } from 'drizzle-orm';
import type { Ctx } from '../../ctx.ts';
import type { Caller } from '../../db/index.ts';
import { AppError } from '../../errors.ts';
import { recordAuditEvent, type RequestOrigin } from '../audit/index.ts';
import { recordSecurityEvent } from '../auth/index.ts';
import { findMember } from './list-members.ts';
import { assertOtherAdmin } from './remove-member.ts';
import { requireAdmin } from './require-admin.ts';
import { adminRole } from './resolve-roles.ts';
import type { Member } from './schemas.ts';
import { memberships } from './tables.ts';

/**
 * Gives a member of an application another of its roles. Only who asked to come in becomes a member, so
 * somebody else is `request.not_found`. Throws also `applications.admin_required`,
 * `applications.role_unknown`, `applications.last_admin`.
 */
export async function changeMember(
  ctx: Ctx,
  caller: Caller,
  { id, userId, role }: { id: string; userId: string; role: string },
  origin: RequestOrigin,
): Promise<Member> {
  return ctx.db.asServiceFor(caller, async (tx) => {
    const { roles } = await requireAdmin(tx, caller.userId, id);
    const member = await findMember(tx, id, userId);
    if (!member) throw new AppError('request.not_found');
    if (!roles.includes(role)) throw new AppError('applications.role_unknown', { extensions: { roles } });
    if (member.role === adminRole && role !== adminRole) await assertOtherAdmin(tx, id, userId);
    await tx
      .update(memberships)
      .set({ role })
      .where(and(eq(memberships.applicationId, id), eq(memberships.userId, userId)));
    const event = {
      action: 'member.role_changed' as const,
      actor: { type: 'user' as const, id: caller.userId },
    };
    const details = { userId, from: member.role, to: role };
    await recordAuditEvent(ctx, tx, { ...event, target: { type: 'application', id }, details }, origin);
    if (role !== member.role) {
      const trail = { applicationId: id, from: member.role, to: role };
      await recordSecurityEvent(ctx, tx, { type: 'access.role_changed', userId, details: trail }, null);
    }
    return { ...member, role };
  });
}
