import type { Ctx } from '../../ctx.ts';
import { AppError } from '../../errors.ts';
import type { ProviderName } from './fact.ts';
import type { PaymentProvider } from './payment-provider.ts';

/** What was begun at a provider: a purchase as the database shows it, or a row of a table. */
type Begun = { provider: ProviderName } & ({ is_live: boolean } | { isLive: boolean });

/**
 * The provider at which something was begun, in the mode in which it was: what is known in test mode is
 * unknown to the live one, and must not be paid there. Throws `payments.provider_not_set_up` when there is
 * none, or only one of the other mode.
 */
export function providerOf(ctx: Ctx, begun: Begun): PaymentProvider {
  const provider = ctx.payments.provider(begun.provider);
  if (provider.isLive !== isLiveOf(begun)) throw new AppError('payments.provider_not_set_up');
  return provider;
}

/** Whether something was begun with test keys, and live ones have taken their place. */
export function isLeftTest(ctx: Ctx, begun: Begun): boolean {
  const provider = ctx.payments.providers.find(({ name }) => name === begun.provider);
  return provider?.isLive === true && !isLiveOf(begun);
}

function isLiveOf(begun: Begun): boolean {
  return 'is_live' in begun ? begun.is_live : begun.isLive;
}
