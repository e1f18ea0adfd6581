import { sql } from 'drizzle-orm';
import type { Ctx } from '../../../ctx.ts';
import type { Tx } from '../../../db/index.ts';
import { AppError } from '../../../errors.ts';
import { walletOfHold } from '../wallet-of-hold.ts';
import type { HoldView } from './schemas.ts';
import type { Spender } from './transact-credits.ts';

/**
 * A hold on the caller's wallet, or one of the app that asks, as it is now. Throws `auth.session_ended`,
 * `auth.application_invalid`, `request.not_found`.
 */
export async function readHold(ctx: Ctx, spender: Spender, holdId: string): Promise<HoldView> {
  const { creditsDailyFree, creditsDailyCap } = ctx.config;
  const at = ctx.clock.now().toISOString();
  const read = async (tx: Tx): Promise<HoldView> => {
    const app = spender.clientId ?? null;
    const found = sql`from credits.holds h
      where h.id = ${holdId} and (${app}::text is null or h.app_id = ${app})`;
    await tx.execute(sql`select credits.refresh_wallets(array(select h.wallet_id ${found}),
      ${at}, ${creditsDailyFree}, ${creditsDailyCap})`);
    const { rows } = await tx.execute<{ view: HoldView }>(sql`select credits.hold_view(h) as view ${found}`);
    if (!rows[0]) throw new AppError('request.not_found');
    return rows[0].view;
  };
  return ctx.turns.take(await walletOfHold(ctx, holdId), () =>
    'userId' in spender ? ctx.db.asCaller(spender, read) : ctx.db.asServiceForApplication(spender, read),
  );
}
