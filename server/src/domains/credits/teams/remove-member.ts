import type { Ctx } from '../../../ctx.ts';
import type { Caller } from '../../../db/index.ts';

/**
 * Lets the caller leave a team, or removes somebody: owners anybody, admins members. What they may spend
 * ends at once. Throws `auth.session_ended`, `request.not_found`, `teams.role_required`,
 * `teams.last_owner`.
 */
export async function removeMember(
  ctx: Ctx,
  caller: Caller,
  { teamId, userId }: { teamId: string; userId: string },
): Promise<void> {
  await ctx.db.call('select credits.remove_member($1, $2, $3, $4, $5)', [
    caller.userId,
    caller.sessionId,
    teamId,
    userId,
    ctx.clock.now(),
  ]);
}
