import { sql } from 'drizzle-orm';
import type { Tx } from '../../db/index.ts';

/** A person's role in an application, as claims of tokens for it. */
export type Roles = { role: string; roles: string[] };

/**
 * The role that a person has in an application at this moment: their membership, or in an open application
 * the role of whoever comes in. Undefined when they have no access.
 */
export async function readRoles(tx: Tx, applicationId: string, userId: string): Promise<Roles | undefined> {
  const { rows } = await tx.execute<{ role: string | null }>(sql`
    select coalesce(m.role, case when p.access = 'open' then p.default_role end) as role
      from apps.applications p
      left join apps.memberships m on m.application_id = p.id and m.user_id = ${userId}
     where p.id = ${applicationId} and p.is_active`);
  const role = rows[0]?.role;
  return role ? { role, roles: [role] } : undefined;
}
