import type { Ctx } from '../../ctx.ts';

/** Enough for what is in the works; each is two ids. */
const knownMax = 10_000;
/** The wallets of holds that this process has seen, the oldest first. A hold never changes its wallet. */
const walletsOfHolds = new Map<string, string>();

/** Keeps in mind whose a hold is, so that the next call about it need not ask. */
export function rememberHold(holdId: string, walletId: string): void {
  walletsOfHolds.set(holdId, walletId);
  const [oldest] = walletsOfHolds.keys();
  if (walletsOfHolds.size > knownMax && oldest !== undefined) walletsOfHolds.delete(oldest);
}

/** The wallet in whose turn a call about a hold belongs; the hold's own id when there is no such hold. */
export async function walletOfHold(ctx: Ctx, holdId: string): Promise<string> {
  return walletsOfHolds.get(holdId) ?? ask(ctx, 'wallet_of_hold', holdId);
}

/** The same for a transaction. */
export function walletOfTransaction(ctx: Ctx, transactionId: string): Promise<string> {
  return ask(ctx, 'wallet_of_transaction', transactionId);
}

async function ask(
  ctx: Ctx,
  by: 'wallet_of_hold' | 'wallet_of_transaction',
  wanted: string,
): Promise<string> {
  const [row] = await ctx.db.call<{ wallet_id: string | null }>(`select credits.${by}($1) as wallet_id`, [
    wanted,
  ]);
  return row?.wallet_id ?? wanted;
}
