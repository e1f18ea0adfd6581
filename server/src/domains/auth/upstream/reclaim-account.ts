import { sql } from 'drizzle-orm';
import type { Ctx } from '../../../ctx.ts';
import type { Tx } from '../../../db/index.ts';
import type { RequestOrigin } from '../../audit/index.ts';
import { markEmailVerified } from '../../users/index.ts';
import { recordSecurityEvent } from '../record-security-event.ts';

type Reclaiming = { userId: string; details: Record<string, unknown>; keepsFactors?: boolean };

/**
 * Gives an account whose address nobody had confirmed to whoever has now shown the address to be theirs.
 * Whoever made it may be somebody else, so their password, factors, linked accounts, sessions, API keys and
 * what they allowed to applications are void. With `keepsFactors` factors stay, and the address unconfirmed.
 * The wallet stays. `tx` is the service's and holds the lock of the person.
 */
export async function reclaimAccount(
  ctx: Ctx,
  tx: Tx,
  { userId, details, keepsFactors = false }: Reclaiming,
  origin: RequestOrigin,
): Promise<void> {
  await tx.execute(sql`
    select auth.void_ways_in(${userId}, ${ctx.clock.now().toISOString()}, ${keepsFactors})`);
  if (!keepsFactors) await markEmailVerified(ctx, tx, userId);
  await recordSecurityEvent(ctx, tx, { type: 'account.reclaimed', userId, details }, origin);
}
