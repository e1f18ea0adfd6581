import { eq } from 'drizzle-orm';
import type { Tx } from '../../../db/index.ts';
import { users } from '../tables.ts';

/** Whether anybody has the role, active or not. `tx` is the service's. */
export async function hasAdministrator(tx: Tx): Promise<boolean> {
  const [admin] = await tx.select({ id: users.id }).from(users).where(eq(users.role, 'admin')).limit(1);
  return admin !== undefined;
}
