import { sql } from 'drizzle-orm';
import type { Ctx } from '../../../ctx.ts';
import type { Caller } from '../../../db/index.ts';
import { readWallets } from '../read-wallet.ts';
import type { TeamView } from './schemas.ts';

/** The teams that the caller is in, by name. Throws `auth.session_ended`, `server.busy`. */
export async function listTeams(ctx: Ctx, caller: Caller): Promise<TeamView[]> {
  const wallets = sql`select credits.own_teams()`;
  return readWallets(ctx, caller, { wallets, subject: 'teams' }, async (tx) => {
    const { rows } = await tx.execute<TeamView>(sql`
      select t.wallet_id as id, t.name, m.role, b.free + b.paid - b.held as available,
             credits.iso_time(t.created_at) as "createdAt"
        from credits.teams t
        join credits.team_members m on m.wallet_id = t.wallet_id and m.user_id = ${caller.userId}
        join credits.balances b on b.wallet_id = t.wallet_id
       order by t.name, t.wallet_id`);
    return rows;
  });
}
