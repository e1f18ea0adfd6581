import { sql } from 'drizzle-orm';
import type { Ctx } from '../../../ctx.ts';
import type { Caller } from '../../../db/index.ts';
import { AppError } from '../../../errors.ts';
import { readWallet } from '../read-wallet.ts';
import { limitAt } from './limit-at.ts';
import type { TeamDetails } from './schemas.ts';

type BalanceView = TeamDetails['balance'];

/**
 * A team that the caller is in: its wallet at this moment, and what the caller may spend. Throws
 * `auth.session_ended`, `request.not_found`.
 */
export async function readTeam(ctx: Ctx, caller: Caller, teamId: string): Promise<TeamDetails> {
  const at = ctx.clock.now().toISOString();
  const { rows } = await readWallet(ctx, caller, teamId, (tx) =>
    tx.execute<{ team: TeamDetails }>(sql`
      select jsonb_build_object('id', t.wallet_id, 'name', t.name, 'role', w.role,
               'createdAt', credits.iso_time(t.created_at), 'available', b.free + b.paid - b.held,
               'limit', ${limitAt(at)}, 'balance', ${balanceView}) as team
        from credits.teams t
        join credits.team_members w on w.wallet_id = t.wallet_id and w.user_id = ${caller.userId}
        join credits.balances b on b.wallet_id = t.wallet_id
        join credits.mandates m on m.wallet_id = t.wallet_id and m.member_id = w.user_id and m.status <> 'revoked'
       where t.wallet_id = ${teamId}`),
  );
  const [row] = rows;
  if (!row) throw new AppError('request.not_found');
  return row.team;
}

const balanceView = sql<BalanceView>`jsonb_build_object(
  'balance', b.paid, 'freeCreditsRemaining', b.free, 'totalEarned', b.total_earned, 'totalSpent', b.total_spent,
  'available', b.free + b.paid - b.held, 'held', b.held, 'debt', b.debt, 'status', b.status,
  'lots', coalesce((
    select jsonb_agg(jsonb_build_object('id', l.id, 'source', l.source, 'kind', l.kind, 'remaining', l.remaining,
             'expiresAt', credits.iso_time(l.expires_at))
             order by l.kind, l.priority, l.expires_at, l.created_at, l.id)
      from (select o.* from credits.lots o
             where o.wallet_id = b.wallet_id and o.closed_at is null
             order by o.kind, o.priority, o.expires_at, o.created_at, o.id limit 100) l), '[]'))`;
