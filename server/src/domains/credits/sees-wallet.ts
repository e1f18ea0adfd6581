import { sql } from 'drizzle-orm';
import type { Ctx } from '../../ctx.ts';

/**
 * Whether who has moved credits is told what the wallet has: a person by a token of their own is, an app
 * (`clientId`) while a mandate of the person is in force and the person is active. What was asked for is
 * committed by then: an app hears that it is, and nothing of the wallet, when that cannot be found out.
 */
export async function seesWallet(
  ctx: Ctx,
  { clientId }: { clientId?: string },
  walletId: string | Promise<string>,
): Promise<boolean> {
  if (clientId === undefined) return true;
  try {
    return await hasMandate(ctx, clientId, await walletId);
  } catch (error) {
    ctx.log.warn({ err: error }, 'an app is not told the balance: its mandate could not be looked up');
    return false;
  }
}

async function hasMandate(ctx: Ctx, clientId: string, walletId: string): Promise<boolean> {
  let isSeen = false;
  await ctx.db.asUnit(
    sql`select exists (
      select from credits.mandates m join auth.users u on u.id = m.wallet_id and u.is_active
       where m.wallet_id = ${walletId} and m.app_id = ${clientId} and m.member_id is null and m.status = 'active'
         and (m.expires_at is null or m.expires_at > ${ctx.clock.now().toISOString()})) as is_seen`,
    async ({ opened }) => {
      isSeen = opened?.is_seen === true;
      return [];
    },
  );
  return isSeen;
}
