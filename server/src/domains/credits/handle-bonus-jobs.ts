import type { Ctx } from '../../ctx.ts';
import { findUser } from '../users/index.ts';
import { hashMailbox } from './hash-mailbox.ts';

/** Names who pays bonuses that have waited. */
export function handleBonusJobs(ctx: Ctx): void {
  ctx.jobs.handle('pay-waiting-bonus', ({ userId }) => payWaitingBonus(ctx, userId));
}

/**
 * Pays the signup bonus that has waited until its owner confirmed their address, unless that mailbox has had
 * one. Called again, it pays nothing more.
 */
async function payWaitingBonus(ctx: Ctx, userId: string): Promise<void> {
  const user = await ctx.db.asService((tx) => findUser(tx, userId));
  if (!user?.isActive || !user.emailVerifiedAt) return;
  const { creditsDailyFree, creditsDailyCap } = ctx.config;
  await ctx.db.call('select credits.pay_waiting_bonus($1, $2, $3, $4, $5)', [
    userId,
    hashMailbox(ctx, user.email),
    ctx.clock.now(),
    creditsDailyFree,
    creditsDailyCap,
  ]);
}
