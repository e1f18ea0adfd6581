import type { Ctx } from '../../../ctx.ts';
import { seesWallet } from '../sees-wallet.ts';
import type { ToldHold } from './schemas.ts';
import { toMovedHold } from './to-moved-hold.ts';
import { holdOf, type Spender, type TransactOutcome } from './transact-credits.ts';

/** The hold that an outcome is about, with the wallet as it was then unless the spender is not to know. */
export async function toToldHold(ctx: Ctx, spender: Spender, outcome: TransactOutcome): Promise<ToldHold> {
  const hold = holdOf(outcome);
  return (await seesWallet(ctx, spender, hold.walletId)) ? toMovedHold(outcome) : hold;
}
