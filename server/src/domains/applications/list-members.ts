import { eq, sql } from 'drizzle-orm';
import type { Ctx } from '../../ctx.ts';
import type { Caller, Tx } from '../../db/index.ts';
import type { Page } from './list-applications.ts';
import { requireAdmin } from './require-admin.ts';
import type { Member } from './schemas.ts';
import { memberships } from './tables.ts';

/**
 * The members of an application, in the order in which they came, for one of its administrators. Throws
 * `request.not_found`, `applications.admin_required`.
 */
export async function listMembers(
  ctx: Ctx,
  caller: Caller,
  { id, limit, offset }: Page & { id: string },
): Promise<{ items: Member[]; total: number }> {
  return ctx.db.asServiceFor(caller, async (tx) => {
    await requireAdmin(tx, caller.userId, id);
    const items = await selectMembers(tx, id, sql`true`, { limit, offset });
    return { items, total: await tx.$count(memberships, eq(memberships.applicationId, id)) };
  });
}

/** One member of an application. `tx` is the service's. */
export async function findMember(tx: Tx, id: string, userId: string): Promise<Member | undefined> {
  const [member] = await selectMembers(tx, id, sql`m.user_id = ${userId}`, { limit: 1, offset: 0 });
  return member;
}

type MemberRow = Omit<Member, 'createdAt'> & { createdAt: Date | string };

async function selectMembers(
  tx: Tx,
  applicationId: string,
  condition: ReturnType<typeof sql>,
  { limit, offset }: Page,
): Promise<Member[]> {
  const { rows } = await tx.execute<MemberRow>(sql`
    select m.user_id as "userId", u.email, u.name, u.username, m.role, m.created_at as "createdAt"
      from apps.memberships m join auth.users u on u.id = m.user_id
     where m.application_id = ${applicationId} and ${condition}
     order by m.created_at, m.user_id limit ${limit} offset ${offset}`);
  return rows.map((row) => ({ ...row, createdAt: new Date(row.createdAt).toISOString() }));
}
