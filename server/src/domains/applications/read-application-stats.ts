import { sql } from 'drizzle-orm';
import type { Ctx } from '../../ctx.ts';
import type { Caller } from '../../db/index.ts';
import { dayOf } from './first-kept-day.ts';
import { requireAdmin } from './require-admin.ts';
import { adminRole } from './resolve-roles.ts';
import type { ApplicationFigures } from './schemas.ts';

const days = 30;

/**
 * The figures of an application, for one of its administrators: members, open requests for access, and how
 * often and how many people signed in on the last 30 days, today (UTC) included. Throws
 * `request.not_found`, `applications.admin_required`.
 */
export async function readApplicationStats(
  ctx: Ctx,
  caller: Caller,
  id: string,
): Promise<ApplicationFigures> {
  const since = dayOf(ctx, days - 1);
  return ctx.db.asServiceFor(caller, async (tx) => {
    await requireAdmin(tx, caller.userId, id);
    const { rows } = await tx.execute<ApplicationFigures>(sql`
      select m.members, m.admins, r.pending, s."signIns", s."activeUsers"
        from (select count(*)::int as members, count(*) filter (where role = ${adminRole})::int as admins
                from apps.memberships where application_id = ${id}) m
       cross join (select count(*)::int as pending from apps.access_requests
                    where application_id = ${id} and status = 'pending') r
       cross join (select coalesce(sum(count), 0)::int as "signIns", count(distinct user_id)::int as "activeUsers"
                     from apps.sign_ins where application_id = ${id} and day >= ${since}) s`);
    const [figures] = rows;
    if (!figures) throw new Error('The count returned no row');
    return figures;
  });
}
