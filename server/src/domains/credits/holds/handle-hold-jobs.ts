import type { Ctx } from '../../../ctx.ts';

/** Few enough that their wallets are locked for milliseconds only. */
const holdsMax = 100;
/** The rest is for the next job, so that none takes long. */
const turnsMax = 100;

/**
 * Names who ends the holds that have expired and that nobody has looked at since. It only tidies, so that
 * applications hear of the end of a hold soon: whoever reads or spends sees what is due without it.
 */
export function handleHoldJobs(ctx: Ctx): void {
  ctx.jobs.handle('end-expired-holds', async () => {
    for (let turn = 0, wallets = 1; wallets > 0 && turn < turnsMax; turn++) wallets = await endSome(ctx);
  });
}

async function endSome(ctx: Ctx): Promise<number> {
  const { creditsDailyFree, creditsDailyCap } = ctx.config;
  const [row] = await ctx.db.call<{ wallets: number }>(
    'select credits.end_expired_holds($1, $2, $3, $4) as wallets',
    [holdsMax, ctx.clock.now(), creditsDailyFree, creditsDailyCap],
  );
  return row?.wallets ?? 0;
}
