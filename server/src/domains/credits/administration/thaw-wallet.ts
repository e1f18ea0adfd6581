import { sql } from 'drizzle-orm';
import type { Ctx } from '../../../ctx.ts';
import type { Caller } from '../../../db/index.ts';
import { recordAuditEvent, type RequestOrigin } from '../../audit/index.ts';
import type { ThawedWallet } from './schemas.ts';

/**
 * Lets the wallet of a person take part again that had been frozen, as after a warning of a stolen card, on
 * an administrator's word, and notes it in the audit trail. Throws `auth.session_ended`,
 * `auth.admin_required`, `request.not_found`, `credits.wallet_not_frozen`.
 */
export async function thawWallet(
  ctx: Ctx,
  caller: Caller,
  { userId, reason }: { userId: string; reason: string },
  origin: RequestOrigin,
): Promise<ThawedWallet> {
  await ctx.db.asAdministrator(caller, async (tx) => {
    await tx.execute(sql`select credits.thaw_wallet(${userId})`);
    const actor = { type: 'user' as const, id: caller.userId };
    const target = { type: 'wallet', id: userId };
    await recordAuditEvent(ctx, tx, { action: 'credits.wallet_thawed', actor, target, reason }, origin);
  });
  return { userId, status: 'active' };
}
