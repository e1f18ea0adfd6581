import type { Ctx } from '../../../ctx.ts';
import type { Caller } from '../../../db/index.ts';
import { newId } from '../../../lib/ids.ts';
import type { TeamView } from './schemas.ts';

/** Opens a team with an empty wallet; the caller owns it. Throws `auth.session_ended`. */
export async function createTeam(ctx: Ctx, caller: Caller, { name }: { name: string }): Promise<TeamView> {
  const id = newId(ctx);
  const now = ctx.clock.now();
  await ctx.db.call('select credits.create_team($1, $2, $3, $4, $5)', [
    caller.userId,
    caller.sessionId,
    id,
    name,
    now,
  ]);
  return { id, name, role: 'owner', available: 0, createdAt: now.toISOString() };
}
