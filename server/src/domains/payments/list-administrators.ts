import { sql } from 'drizzle-orm';
import type { Tx } from '../../db/index.ts';

/** The addresses of the active administrators. `tx` is the service's. */
export async function listAdministrators(tx: Tx): Promise<string[]> {
  const { rows } = await tx.execute<{ email: string }>(
    sql`select u.email from auth.users u where u.role = 'admin' and u.is_active order by u.email`,
  );
  return rows.map(({ email }) => email);
}
