import { sql } from 'drizzle-orm';
import type { Ctx } from '../../../ctx.ts';
import type { Caller } from '../../../db/index.ts';
import { limitAt } from './limit-at.ts';
import { assertTeamRole } from './assert-team-role.ts';
import type { MemberView } from './schemas.ts';

/**
 * Who is in a team that the caller is in, by role and address. Throws `auth.session_ended`,
 * `request.not_found`.
 */
export async function listTeamMembers(ctx: Ctx, caller: Caller, teamId: string): Promise<MemberView[]> {
  const at = ctx.clock.now().toISOString();
  return ctx.db.asServiceFor(caller, async (tx) => {
    await assertTeamRole(tx, caller, teamId, ['owner', 'admin', 'member']);
    const { rows } = await tx.execute<{ member: MemberView }>(sql`
      select jsonb_build_object('userId', u.id, 'email', u.email, 'name', u.name, 'role', w.role,
               'limit', ${limitAt(at)}, 'joinedAt', credits.iso_time(w.created_at)) as member
        from credits.team_members w
        join auth.users u on u.id = w.user_id
        join credits.mandates m on m.wallet_id = w.wallet_id and m.member_id = w.user_id and m.status <> 'revoked'
       where w.wallet_id = ${teamId}
       order by array_position(array['owner', 'admin', 'member'], w.role), u.email`);
    return rows.map(({ member }) => member);
  });
}
