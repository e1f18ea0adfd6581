import { sql } from 'drizzle-orm';
import type { Tx } from '../../db/index.ts';
import { currentExchange } from './exchange.ts';

/** A person's role in an application, as claims of tokens for it. */
export type Roles = { role: string; roles: string[] };

/**
 * The role that a person has in an application at this moment: their membership, or in an open application
 * the role of whoever comes in. Undefined when they have no access.
 */
export async function readRoles(tx: Tx, applicationId: string, userId: string): Promise<Roles | undefined> {
  const known = currentExchange()?.known.role;
  const isKnown = known?.applicationId === applicationId && known.userId === userId;
  const role = isKnown ? known.role : await readRole(tx, applicationId, userId);
  return role ? { role, roles: [role] } : undefined;
}

async function readRole(tx: Tx, applicationId: string, userId: string): Promise<string | null> {
  const { rows } = await tx.execute<{ role: string | null }>(
    sql`select oauth.role_of(${applicationId}, ${userId}) as role`,
  );
  return rows[0]?.role ?? null;
}
