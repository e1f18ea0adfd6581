import type { Ctx } from '../../../ctx.ts';

/** Few enough that their wallets are locked for milliseconds only. */
const holdsMax = 100;
/** The rest is for the next job, so that none takes long. */
const turnsMax = 100;

/**
 * Names who ends the holds that have expired and that nobody has looked at since. It only tidies, so that
 * applications hear of the end of a hold soon: whoever reads or spends sees what is due without it. A wallet
 * that cannot be brought up to date is logged and holds up no other.
 */
export function handleHoldJobs(ctx: Ctx): void {
  ctx.jobs.handle('end-expired-holds', async () => {
    const stuck: string[] = [];
    for (let turn = 0, wallets = 1; wallets > 0 && turn < turnsMax; turn++) {
      wallets = await endSome(ctx, stuck);
    }
  });
}

/** Returns how many wallets were tried; those that could not be brought up to date are added to `stuck`. */
async function endSome(ctx: Ctx, stuck: string[]): Promise<number> {
  const { creditsDailyFree, creditsDailyCap } = ctx.config;
  const rows = await ctx.db.call<{ wallet_id: string; problem: string | null }>(
    'select * from credits.end_expired_holds($1, $2, $3, $4, $5)',
    [holdsMax, stuck, ctx.clock.now(), creditsDailyFree, creditsDailyCap],
  );
  for (const { wallet_id: walletId, problem } of rows) {
    if (problem === null) continue;
    stuck.push(walletId);
    ctx.log.error({ walletId, problem }, 'the expired holds of a wallet cannot be ended');
  }
  return rows.length;
}
