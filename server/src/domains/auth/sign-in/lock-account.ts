import { sql } from 'drizzle-orm';
import type { Tx } from '../../../db/index.ts';
import { findUser, type User } from '../../users/index.ts';

/**
 * Makes whoever opens a session without the row of a password, replaces the password or changes factors of
 * this person wait for the others. Comes before every other lock on what is theirs. Undefined when there is
 * no such active person. `tx` is the service's.
 */
export async function lockAccount(tx: Tx, userId: string): Promise<User | undefined> {
  await tx.execute(sql`select from auth.users where id = ${userId} for no key update`);
  const user = await findUser(tx, userId);
  return user?.isActive ? user : undefined;
}
