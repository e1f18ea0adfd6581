import type { Ctx } from '../../../ctx.ts';
import type { Caller } from '../../../db/index.ts';
import type { TeamRole } from '../team-tables.ts';
import { limitColumns } from './limit-columns.ts';
import type { LimitBody } from './schemas.ts';

/**
 * Changes what a member is (owners only) and may spend (owners; admins for members); it counts for the next
 * spend. Throws `auth.session_ended`, `request.not_found`, `teams.role_required`, `teams.last_owner`.
 */
export async function changeMember(
  ctx: Ctx,
  caller: Caller,
  { teamId, userId }: { teamId: string; userId: string },
  { role, limit }: { role?: TeamRole; limit?: LimitBody },
): Promise<void> {
  await ctx.db.call('select credits.change_member($1, $2, $3, $4, $5, $6)', [
    caller.userId,
    caller.sessionId,
    teamId,
    userId,
    JSON.stringify({ role, limit: limitColumns(limit) }),
    ctx.clock.now(),
  ]);
}
