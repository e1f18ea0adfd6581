import { sql } from 'drizzle-orm';
import type { Ctx } from '../../../ctx.ts';
import type { Caller } from '../../../db/index.ts';
import { AppError } from '../../../errors.ts';
import { normalizeEmail } from '../../../lib/email.ts';
import { newId } from '../../../lib/ids.ts';
import { findUserByEmail } from '../../users/index.ts';
import { teamInvitations, teamMembers, type TeamRole } from '../team-tables.ts';
import { assertTeamRole } from './assert-team-role.ts';
import { limitColumns } from './limit-columns.ts';
import type { InvitationView, LimitBody } from './schemas.ts';
import { toInvitationView } from './to-invitation-view.ts';

const lifeMs = 14 * 86_400_000;

/**
 * Asks an address to join a team; the answer is the same whether or not it has an account. Asking again
 * replaces the invitation. Admins invite members, owners anybody. Throws `auth.session_ended`,
 * `request.not_found`, `teams.role_required`, `teams.already_member`.
 */
export async function inviteMember(
  ctx: Ctx,
  caller: Caller,
  teamId: string,
  { email: givenEmail, role, limit }: { email: string; role: TeamRole; limit?: LimitBody },
): Promise<InvitationView> {
  const now = ctx.clock.now();
  const terms = {
    role,
    spendingLimit: limitColumns(limit) ?? (limit === null ? {} : null),
    invitedBy: caller.userId,
    createdAt: now,
    expiresAt: new Date(now.getTime() + lifeMs),
  };
  const email = normalizeEmail(givenEmail);
  return ctx.db.asServiceFor(caller, async (tx) => {
    await tx.execute(sql`select credits.lock_team(${teamId})`);
    const callerRole = await assertTeamRole(tx, caller, teamId, ['owner', 'admin']);
    if (callerRole === 'admin' && role !== 'member') throw new AppError('teams.role_required');
    const invited = await findUserByEmail(tx, email);
    if (invited) {
      const [member] = await tx
        .select({ role: teamMembers.role })
        .from(teamMembers)
        .where(sql`${teamMembers.walletId} = ${teamId} and ${teamMembers.userId} = ${invited.id}`);
      if (member) throw new AppError('teams.already_member');
    }
    const [row] = await tx
      .insert(teamInvitations)
      .values({ id: newId(ctx), walletId: teamId, email, ...terms })
      .onConflictDoUpdate({ target: [teamInvitations.walletId, teamInvitations.email], set: terms })
      .returning();
    if (!row) throw new Error('The invitation was not stored');
    return toInvitationView(row);
  });
}
