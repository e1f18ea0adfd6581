import { and, eq, isNull } from 'drizzle-orm';
import { recordAuditEvent } from '../audit/index.ts';
import type { Ctx } from '../../ctx.ts';
import { AppError } from '../../errors.ts';
import { normalizeEmail } from '../../lib/email.ts';
import { users } from './tables.ts';

/**
 * Makes a registered person an administrator, on an operator's word. Promoting one who is already an
 * administrator changes nothing but the audit trail. Throws `users.unknown_email`.
 */
export async function promoteToAdmin(
  ctx: Ctx,
  { email }: { email: string },
): Promise<{ id: string; email: string }> {
  return ctx.db.asService(async (tx) => {
    const [user] = await tx
      .update(users)
      .set({ role: 'admin', updatedAt: ctx.clock.now() })
      .where(and(eq(users.email, normalizeEmail(email)), isNull(users.erasedAt)))
      .returning({ id: users.id, email: users.email });
    if (!user) throw new AppError('users.unknown_email');
    await recordAuditEvent(ctx, tx, {
      action: 'user.promoted',
      actor: { type: 'operator' },
      target: { type: 'user', id: user.id },
    });
    return user;
  });
}
