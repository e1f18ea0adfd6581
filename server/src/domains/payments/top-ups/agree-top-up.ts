import { sql } from 'drizzle-orm';
import type { Ctx } from '../../../ctx.ts';
import type { Caller } from '../../../db/index.ts';
import { toUnits } from '../../../lib/exact.ts';
import { assertRecentSignIn } from '../../auth/index.ts';
import type { TopUpBody, TopUpView } from './schemas.ts';

/**
 * Agrees to automatic top-ups with the saved card, at the present price of a package, in place of what was
 * agreed before; what was paused goes on. From then on money goes out without anybody being asked, so it
 * takes a recent sign-in, and is told by mail. Throws `auth.session_ended`, `auth.step_up_required`,
 * `payments.no_saved_card`, `payments.package_unavailable`, `payments.currency_unavailable`,
 * `payments.cap_too_low`, `payments.threshold_too_high`.
 */
export async function agreeTopUp(ctx: Ctx, caller: Caller, body: TopUpBody): Promise<TopUpView> {
  const asked = {
    user_id: caller.userId,
    session_id: caller.sessionId,
    package_id: body.packageId,
    currency: body.currency,
    threshold: body.threshold,
    monthly_cap_cents: body.monthlyCapCents,
    units_per_credit: toUnits(1, ctx.config.creditsScale),
    credits_per_eur: ctx.config.creditsPerEur,
  };
  const at = ctx.clock.now().toISOString();
  return ctx.db.asServiceFor(caller, async (tx) => {
    await assertRecentSignIn(ctx, caller, tx);
    const { rows } = await tx.execute<{ view: TopUpView }>(sql`
      select payments.agree_top_up(${JSON.stringify(asked)}::jsonb, ${at}) as view`);
    const [row] = rows;
    if (!row) throw new Error('payments.agree_top_up returned no row');
    await ctx.jobs.enqueue(tx, 'send-top-up-mail', { userId: caller.userId });
    return row.view;
  });
}
