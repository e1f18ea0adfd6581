import type { Ctx } from '../../../ctx.ts';
import type { Caller } from '../../../db/index.ts';

/**
 * Takes up an invitation to the caller's own, confirmed address: they are a member from now on. Returns the
 * team's id. Throws `auth.session_ended`, `users.email_unverified`, `request.not_found`.
 */
export async function acceptInvitation(ctx: Ctx, caller: Caller, invitationId: string): Promise<string> {
  const [row] = await ctx.db.call<{ team_id: string }>(
    'select credits.accept_invitation($1, $2, $3, $4) as team_id',
    [caller.userId, caller.sessionId, invitationId, ctx.clock.now()],
  );
  if (!row) throw new Error('credits.accept_invitation returned no row');
  return row.team_id;
}
