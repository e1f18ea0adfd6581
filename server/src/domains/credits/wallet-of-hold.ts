import type { Ctx } from '../../ctx.ts';
import { createBoundedMap } from '../../lib/bounded-map.ts';

/** The wallets of holds that this process has seen. A hold never changes its wallet. */
const known = createBoundedMap<string>(10_000);

/** The wallet in whose turn a call about a hold belongs; the hold's own id when there is no such hold. */
export async function walletOfHold(ctx: Ctx, holdId: string): Promise<string> {
  const walletId = known.get(holdId);
  if (walletId !== undefined) return walletId;
  const [row] = await ctx.db.call<{ wallet_id: string | null }>(
    'select credits.wallet_of_hold($1) as wallet_id',
    [holdId],
  );
  return row?.wallet_id ?? holdId;
}

/** Keeps in mind whose a hold is, so that the next call about it need not ask. */
export function rememberHold(holdId: string, walletId: string): void {
  known.set(holdId, walletId);
}
