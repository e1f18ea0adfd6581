import type { Ctx } from '../../ctx.ts';
import { AppError } from '../../errors.ts';
import type { ProviderName } from './fact.ts';
import type { PaymentProvider } from './payment-provider.ts';

/**
 * The provider at which something was begun, in the mode in which it was: what is known in test mode is
 * unknown to the live one, and must not be paid there. Throws `payments.provider_not_set_up` when there is
 * none, or only one of the other mode.
 */
export function providerOf(
  ctx: Ctx,
  { provider: name, is_live: isLive }: { provider: ProviderName; is_live: boolean },
): PaymentProvider {
  const provider = ctx.payments.provider(name);
  if (provider.isLive !== isLive) throw new AppError('payments.provider_not_set_up');
  return provider;
}
