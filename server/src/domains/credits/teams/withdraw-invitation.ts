import { and, eq } from 'drizzle-orm';
import type { Ctx } from '../../../ctx.ts';
import type { Caller } from '../../../db/index.ts';
import { AppError } from '../../../errors.ts';
import { teamInvitations } from '../team-tables.ts';
import { assertTeamRole } from './assert-team-role.ts';

/**
 * Takes an invitation back, for owners and admins of the team. Throws `auth.session_ended`,
 * `request.not_found`, `teams.role_required`.
 */
export async function withdrawInvitation(
  ctx: Ctx,
  caller: Caller,
  { teamId, invitationId }: { teamId: string; invitationId: string },
): Promise<void> {
  await ctx.db.asServiceFor(caller, async (tx) => {
    await assertTeamRole(tx, caller, teamId, ['owner', 'admin']);
    const [withdrawn] = await tx
      .delete(teamInvitations)
      .where(and(eq(teamInvitations.id, invitationId), eq(teamInvitations.walletId, teamId)))
      .returning({ id: teamInvitations.id });
    if (!withdrawn) throw new AppError('request.not_found');
  });
}
