import type { Ctx } from '../../../ctx.ts';
import type { Caller } from '../../../db/index.ts';
import { assertTeamRole } from './assert-team-role.ts';

/**
 * The caller, who is an owner or admin of the team. Throws `auth.session_ended`, `request.not_found`,
 * `teams.role_required`.
 */
export async function assertTeamAdmin(ctx: Ctx, caller: Caller, teamId: string): Promise<Caller> {
  await ctx.db.asCaller(caller, (tx) => assertTeamRole(tx, caller, teamId, ['owner', 'admin']));
  return caller;
}
