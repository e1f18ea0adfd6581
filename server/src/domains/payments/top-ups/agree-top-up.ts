import type { Ctx } from '../../../ctx.ts';
import type { Caller } from '../../../db/index.ts';
import { toUnits } from '../../../lib/exact.ts';
import type { TopUpBody, TopUpView } from './schemas.ts';

/**
 * Agrees to automatic top-ups with the saved card, at the present price of a package, in place of what was
 * agreed before; what was paused goes on. Throws `auth.session_ended`, `payments.no_saved_card`,
 * `payments.package_unavailable`, `payments.currency_unavailable`, `payments.cap_too_low`,
 * `payments.threshold_too_high`.
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
  const [row] = await ctx.db.call<{ view: TopUpView }>('select payments.agree_top_up($1, $2) as view', [
    JSON.stringify(asked),
    ctx.clock.now(),
  ]);
  if (!row) throw new Error('payments.agree_top_up returned no row');
  return row.view;
}
