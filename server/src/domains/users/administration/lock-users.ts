import { and, asc, inArray, isNull } from 'drizzle-orm';
import type { Tx } from '../../../db/index.ts';
import { users } from '../tables.ts';
import type { User } from '../to-user-object.ts';

/**
 * These people, without those who are erased, locked until the transaction ends: neither role nor activity
 * changes meanwhile. Locked in the order of their ids, so that two callers do not wait for each other. `tx`
 * is the service's.
 */
export async function lockUsers(tx: Tx, userIds: string[]): Promise<User[]> {
  return tx
    .select()
    .from(users)
    .where(and(inArray(users.id, userIds), isNull(users.erasedAt)))
    .orderBy(asc(users.id))
    .for('no key update');
}
