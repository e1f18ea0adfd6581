import { sql } from 'drizzle-orm';
import type { Ctx } from '../../ctx.ts';
import type { Caller } from '../../db/index.ts';
import { adminRole } from './resolve-roles.ts';

export type ApplicationStats = { total: number; active: number; pending: number };

/**
 * How many applications the caller sees, how many of those are switched on, and how many access requests wait
 * for their decision.
 */
export async function readStats(ctx: Ctx, caller: Caller): Promise<ApplicationStats> {
  const { rows } = await ctx.db.asServiceFor(caller, (tx) =>
    tx.execute<ApplicationStats>(sql`
      select count(*)::int as total, count(*) filter (where a.is_active)::int as active,
             coalesce(sum((select count(*) from apps.access_requests r
               where r.application_id = a.id and r.status = 'pending' and m.role = ${adminRole})), 0)::int as pending
        from apps.memberships m join apps.applications a on a.id = m.application_id
       where m.user_id = ${caller.userId}`),
  );
  const [stats] = rows;
  if (!stats) throw new Error('The count returned no row');
  return stats;
}
