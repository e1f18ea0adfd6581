import { sql } from 'drizzle-orm';
import type { Ctx } from '../../ctx.ts';
import type { Tx } from '../../db/index.ts';

/**
 * Opens the personal wallet of a user, with the signup bonus, inside the transaction that makes the user: the
 * account and its wallet exist together or not at all. The wallet's id is the user's. A second call changes
 * nothing.
 */
export async function openWallet(ctx: Ctx, tx: Tx, userId: string): Promise<void> {
  const at = ctx.clock.now().toISOString();
  await tx.execute(sql`select credits.open_wallet(${userId}, ${ctx.config.creditsSignupBonus}, ${at})`);
}
