import type { Ctx } from '../../ctx.ts';

/** How long a client may take to ask again: the contract's. */
const rememberedMs = 30 * 86_400_000;
/** Few enough that a statement takes milliseconds; the rest is for the next night. */
const rowsMax = 1000;
const turnsMax = 1000;

/**
 * Names who forgets refusals that have been remembered under their idempotency keys for 30 days, so that who
 * spends what they do not have fills no table. The key then belongs to a new request. What went through is
 * remembered for good: the journal names its key.
 */
export function handleRetentionJobs(ctx: Ctx): void {
  ctx.jobs.handle('forget-refusals', async () => {
    const before = new Date(ctx.clock.now().getTime() - rememberedMs);
    for (let turn = 0, rows = rowsMax; rows === rowsMax && turn < turnsMax; turn++) {
      rows = await forgetSome(ctx, before);
    }
  });
}

async function forgetSome(ctx: Ctx, before: Date): Promise<number> {
  const [row] = await ctx.db.call<{ rows: number }>('select credits.forget_refusals($1, $2) as rows', [
    before,
    rowsMax,
  ]);
  return row?.rows ?? 0;
}
