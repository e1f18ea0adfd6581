import { and, asc, eq, gt } from 'drizzle-orm';
import type { Ctx } from '../../../ctx.ts';
import type { Caller } from '../../../db/index.ts';
import { teamInvitations } from '../team-tables.ts';
import { assertTeamRole } from './assert-team-role.ts';
import type { InvitationView } from './schemas.ts';
import { toInvitationView } from './to-invitation-view.ts';

/**
 * Who has been asked to join a team and has not answered yet, for its owners and admins. Throws
 * `auth.session_ended`, `request.not_found`, `teams.role_required`.
 */
export async function listTeamInvitations(
  ctx: Ctx,
  caller: Caller,
  teamId: string,
): Promise<InvitationView[]> {
  return ctx.db.asServiceFor(caller, async (tx) => {
    await assertTeamRole(tx, caller, teamId, ['owner', 'admin']);
    const rows = await tx
      .select()
      .from(teamInvitations)
      .where(and(eq(teamInvitations.walletId, teamId), gt(teamInvitations.expiresAt, ctx.clock.now())))
      .orderBy(asc(teamInvitations.email));
    return rows.map(toInvitationView);
  });
}
