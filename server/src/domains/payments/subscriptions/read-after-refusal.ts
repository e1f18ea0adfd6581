import type { Ctx } from '../../../ctx.ts';
import { AppError } from '../../../errors.ts';
import type { SubscriptionFact } from '../fact.ts';
import type { PaymentProvider } from '../payment-provider.ts';

/**
 * Applies how a subscription stands whose end the provider refuses, as when we have not heard that it has
 * ended. Returns that; null after any other failure, or when the provider knows no such subscription. Throws
 * what the provider throws.
 */
export async function readAfterRefusal(
  ctx: Ctx,
  provider: PaymentProvider,
  { providerSubscriptionId, error }: { providerSubscriptionId: string; error: unknown },
): Promise<SubscriptionFact | null> {
  if (!(error instanceof AppError) || error.code !== 'payments.provider_refused') return null;
  const fact = await provider.readSubscription(providerSubscriptionId);
  if (fact) await ctx.payments.applyFacts(provider, [fact]);
  return fact;
}
