import { and, eq } from 'drizzle-orm';
import type { Caller, Tx } from '../../../db/index.ts';
import { AppError } from '../../../errors.ts';
import { teamMembers, type TeamRole } from '../team-tables.ts';

/**
 * What the caller is in a team. Throws `request.not_found` when they are not in it, `teams.role_required`
 * when their role is not one of these.
 */
export async function assertTeamRole(
  tx: Tx,
  caller: Caller,
  teamId: string,
  roles: readonly TeamRole[],
): Promise<TeamRole> {
  const [member] = await tx
    .select({ role: teamMembers.role })
    .from(teamMembers)
    .where(and(eq(teamMembers.walletId, teamId), eq(teamMembers.userId, caller.userId)));
  if (!member) throw new AppError('request.not_found');
  if (!roles.includes(member.role)) throw new AppError('teams.role_required');
  return member.role;
}
