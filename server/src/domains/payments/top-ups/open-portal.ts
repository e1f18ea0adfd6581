import type { Ctx } from '../../../ctx.ts';
import type { Caller } from '../../../db/index.ts';
import { AppError } from '../../../errors.ts';
import { creditsAddress } from '../../credits/index.ts';
import type { ProviderName } from '../fact.ts';

/**
 * Opens the provider's own page for the caller's cards and bills, from which they come back to their
 * credits. Throws `auth.session_ended`, `payments.provider_not_set_up`, `payments.no_customer`,
 * `payments.not_supported`, `payments.provider_unavailable`, `payments.provider_refused`.
 */
export async function openPortal(ctx: Ctx, caller: Caller, name?: ProviderName): Promise<{ url: string }> {
  const provider = ctx.payments.provider(name);
  const [row] = await ctx.db.call<{ customer: string | null }>(
    'select payments.customer_of($1, $2, $3, $4) as customer',
    [caller.userId, caller.sessionId, provider.name, ctx.clock.now()],
  );
  if (!row?.customer) throw new AppError('payments.no_customer');
  const returnUrl = creditsAddress(ctx);
  const url = await provider.openPortal({ customerId: row.customer, returnUrl });
  if (url === null) throw new AppError('payments.not_supported');
  return { url };
}
