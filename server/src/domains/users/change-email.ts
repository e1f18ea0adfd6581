import { eq } from 'drizzle-orm';
import type { Ctx } from '../../ctx.ts';
import type { Tx } from '../../db/index.ts';
import { asTaken } from './create-user.ts';
import { users } from './tables.ts';

/**
 * Gives a person another address, which they have shown to be theirs; it is normalised already. `tx` is the
 * service's. Throws `users.email_taken`.
 */
export async function changeEmail(ctx: Ctx, tx: Tx, userId: string, email: string): Promise<void> {
  const now = ctx.clock.now();
  await tx
    .update(users)
    .set({ email, emailVerifiedAt: now, updatedAt: now })
    .where(eq(users.id, userId))
    .catch((error: unknown) => {
      throw asTaken(error);
    });
}
