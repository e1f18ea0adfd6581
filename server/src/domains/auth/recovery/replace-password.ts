import { and, eq, isNull } from 'drizzle-orm';
import type { Ctx } from '../../../ctx.ts';
import type { Tx } from '../../../db/index.ts';
import type { RequestOrigin } from '../../audit/index.ts';
import { recordSecurityEvent } from '../record-security-event.ts';
import { passwords, verificationTokens } from '../tables.ts';
import { endSessions } from '../end-sessions.ts';
import { lockAccount } from '../sign-in/lock-account.ts';
import { dropPendingSignIns } from '../sign-in/pending-sign-in.ts';
import { forgetDevices } from '../sign-in/remembered-devices.ts';

export type PasswordReplacement = {
  userId: string;
  email: string;
  newHash: string;
  notice: 'password_changed' | 'password_reset';
  /** The session in which its owner has just shown the old password. */
  sessionId?: string;
};

/**
 * Stores a new password hash and makes everything void that the old password may have opened: sessions with
 * their refresh tokens, half-finished sign-ins, remembered devices and links on their way. Tells the address
 * and writes the security trail, all in `tx`. Second factors stay as they are.
 */
export async function replacePassword(
  ctx: Ctx,
  tx: Tx,
  { userId, email, newHash, notice, sessionId }: PasswordReplacement,
  origin: RequestOrigin,
): Promise<void> {
  const now = ctx.clock.now();
  await lockAccount(tx, userId);
  await tx
    .insert(passwords)
    .values({ userId, hash: newHash, createdAt: now, updatedAt: now })
    .onConflictDoUpdate({ target: passwords.userId, set: { hash: newHash, updatedAt: now } });
  await endSessions(ctx, tx, { userId }, notice);
  await tx
    .update(verificationTokens)
    .set({ consumedAt: now })
    .where(and(eq(verificationTokens.userId, userId), isNull(verificationTokens.consumedAt)));
  await dropPendingSignIns(tx, userId);
  await forgetDevices(tx, userId);
  const type = notice === 'password_reset' ? 'password.reset' : 'password.changed';
  await recordSecurityEvent(ctx, tx, { type, userId, sessionId }, origin);
  await ctx.jobs.enqueue(tx, 'send-notice-mail', { email, notice, at: now.toISOString() });
}
