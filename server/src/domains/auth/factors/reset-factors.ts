import { eq } from 'drizzle-orm';
import type { Ctx } from '../../../ctx.ts';
import type { Tx } from '../../../db/index.ts';
import { endSessions } from '../end-sessions.ts';
import { passkeys } from '../factor-tables.ts';
import { lockAccount } from '../sign-in/lock-account.ts';
import { twoFactorAuth } from '../tables.ts';
import { announceChange } from './announce-change.ts';
import { endFactorsIfNone } from './end-factors.ts';

/**
 * Removes every second factor of a person who lost them all, passkeys included, and ends their sessions; the
 * address is told. For whoever runs or administers the service, once they know by other means who is asking:
 * who can only read the person's mail must not get here. `tx` is the service's, and also takes the audit
 * event of whoever did it. Returns whether there was such an active person.
 */
export async function resetFactors(ctx: Ctx, tx: Tx, userId: string): Promise<boolean> {
  const user = await lockAccount(tx, userId);
  if (!user) return false;
  await tx.delete(twoFactorAuth).where(eq(twoFactorAuth.userId, userId));
  await tx.delete(passkeys).where(eq(passkeys.userId, userId));
  await endFactorsIfNone(tx, userId);
  await endSessions(ctx, tx, { userId }, 'revoked');
  await announceChange(ctx, tx, { user, type: 'factors.reset', notice: 'factors_reset' }, null);
  return true;
}
