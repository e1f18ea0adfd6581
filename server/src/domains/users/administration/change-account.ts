import { eq } from 'drizzle-orm';
import type { PgUpdateSetSource } from 'drizzle-orm/pg-core';
import type { Ctx } from '../../../ctx.ts';
import type { Caller, Tx } from '../../../db/index.ts';
import { AppError } from '../../../errors.ts';
import { recordAuditEvent, type AuditAction, type RequestOrigin } from '../../audit/index.ts';
import { asTaken } from '../create-user.ts';
import { users } from '../tables.ts';
import type { User } from '../to-user-object.ts';
import { lockUsers } from './lock-users.ts';

/** An administrator, and where they ask from. */
export type Administrator = { caller: Caller; origin: RequestOrigin };

export type AccountChange = {
  action: AuditAction;
  reason: string | undefined;
  /** What is written, beside the time. Undefined where the change is none: nothing is recorded then. */
  set: (before: User) => PgUpdateSetSource<typeof users> | undefined;
  details?: (before: User) => Record<string, unknown>;
};

/**
 * Changes one account on an administrator's word, and writes it into the audit trail with reason and address.
 * Returns the account as it is then. `tx` is the administrator's. Throws `request.not_found`,
 * `users.username_taken`, `users.last_admin`.
 */
export async function changeAccount(
  ctx: Ctx,
  tx: Tx,
  { caller, origin }: Administrator,
  userId: string,
  { action, reason, set, details = () => ({}) }: AccountChange,
): Promise<User> {
  const before = await lockUser(tx, userId);
  const values = set(before);
  if (!values) return before;
  const [changed] = await tx
    .update(users)
    .set({ ...values, updatedAt: ctx.clock.now() })
    .where(eq(users.id, userId))
    .returning()
    .catch((error: unknown) => {
      throw asTaken(error);
    });
  if (!changed) throw new Error('The locked user is not there');
  const actor = { type: 'user' as const, id: caller.userId };
  const target = { type: 'user', id: userId };
  await recordAuditEvent(ctx, tx, { action, actor, target, reason, details: details(before) }, origin);
  return changed;
}

async function lockUser(tx: Tx, userId: string): Promise<User> {
  const [user] = await lockUsers(tx, [userId]);
  if (!user) throw new AppError('request.not_found');
  return user;
}
