import type { Ctx } from '../../ctx.ts';
import { findUser } from '../users/index.ts';
import { hashMailbox } from './hash-mailbox.ts';

/**
 * Pays the signup bonus that has waited until its owner confirmed their address, unless that mailbox has had
 * one. Called again, it pays nothing more. Returns what was paid, in units.
 */
export async function payWaitingBonus(ctx: Ctx, userId: string): Promise<number> {
  const user = await ctx.db.asService((tx) => findUser(tx, userId));
  if (!user?.isActive || !user.emailVerifiedAt) return 0;
  const { creditsDailyFree, creditsDailyCap } = ctx.config;
  const [row] = await ctx.db.call<{ paid: string }>(
    'select credits.pay_waiting_bonus($1, $2, $3, $4, $5) as paid',
    [userId, hashMailbox(ctx, user.email), ctx.clock.now(), creditsDailyFree, creditsDailyCap],
  );
  return Number(row?.paid ?? 0);
}

/** Names who pays bonuses that have waited. */
export function handleBonusJobs(ctx: Ctx): void {
  ctx.jobs.handle('pay-waiting-bonus', async ({ userId }) => {
    await payWaitingBonus(ctx, userId);
  });
}
