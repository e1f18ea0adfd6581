import { sql } from 'drizzle-orm';
import type { Ctx } from '../../../ctx.ts';
import { AppError } from '../../../errors.ts';
import { readWallet } from '../read-wallet.ts';
import { walletOfHold } from '../wallet-of-hold.ts';
import type { HoldView } from './schemas.ts';
import type { Spender } from './transact-credits.ts';

/**
 * A hold on the caller's wallet, or one of the app that asks, as it is now. Throws `auth.session_ended`,
 * `auth.application_invalid`, `request.not_found`.
 */
export async function readHold(ctx: Ctx, spender: Spender, holdId: string): Promise<HoldView> {
  const app = spender.clientId ?? null;
  return readWallet(ctx, spender, await walletOfHold(ctx, holdId), async (tx) => {
    const { rows } = await tx.execute<{ view: HoldView }>(sql`
      select credits.hold_view(h) as view from credits.holds h
       where h.id = ${holdId} and (${app}::text is null or h.app_id = ${app})`);
    if (!rows[0]) throw new AppError('request.not_found');
    return rows[0].view;
  });
}
