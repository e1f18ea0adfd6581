import type { Ctx } from '../../../ctx.ts';
import type { Caller } from '../../../db/index.ts';
import { newId } from '../../../lib/ids.ts';
import { readExpiry } from './read-expiry.ts';
import type { MandateView, NewMandate } from './schemas.ts';

/**
 * Gives an app leave to spend from the caller's wallet; one mandate per app. Throws `request.invalid`,
 * `auth.session_ended`, `mandate.exists`.
 */
export async function createMandate(ctx: Ctx, caller: Caller, given: NewMandate): Promise<MandateView> {
  const { appId, allowance, period, kinds, maxPerSpend = null, overrun, overrunMax } = given;
  const terms = {
    app_id: appId,
    allowance,
    period,
    kinds,
    spend_max: maxPerSpend,
    overrun,
    overrun_max: overrunMax,
    expires_at: readExpiry(ctx, given.expiresAt),
  };
  const [row] = await ctx.db.call<{ view: MandateView }>(
    'select credits.create_mandate($1, $2, $3, $4, $5) as view',
    [caller.userId, caller.sessionId, newId(ctx), JSON.stringify(terms), ctx.clock.now()],
  );
  if (!row) throw new Error('credits.create_mandate returned no row');
  return row.view;
}
