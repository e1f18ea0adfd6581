import type { Ctx } from '../../../ctx.ts';
import { AppError } from '../../../errors.ts';
import { reachFaultPoint } from '../../../lib/fault-points.ts';
import type { PurchaseRow } from '../open-checkout.ts';
import { providerOf } from '../provider-of.ts';

/**
 * Charges the saved card for a top-up that has begun, and applies the answer. The provider knows the
 * purchase by its id: called again after an answer was lost, it charges nothing more. Without a card, or
 * when the provider refuses, the purchase has failed. Throws `payments.provider_unavailable` when nobody
 * can say what came of it, and `payments.provider_not_set_up` when there is no such provider in the mode of
 * the purchase.
 */
export async function chargeTopUp(ctx: Ctx, purchase: PurchaseRow): Promise<void> {
  const provider = providerOf(ctx, purchase);
  let fact;
  try {
    fact = await provider.chargeSavedCard({
      purchaseId: purchase.id,
      customerId: purchase.customer_id ?? '',
      amountCents: purchase.price_cents,
      currency: purchase.currency,
      title: purchase.title,
    });
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== 'payments.provider_refused') throw error;
    ctx.log.warn({ err: error, purchaseId: purchase.id }, 'a top-up was refused');
    return failPurchase(ctx, purchase.id, 'provider_refused');
  }
  await reachFaultPoint('top-up.charged');
  if (fact === null) return failPurchase(ctx, purchase.id, 'no_saved_card');
  const { creditsDailyFree, creditsDailyCap } = ctx.config;
  await ctx.db.call('select payments.attach_checkout($1, $2, null, $3, $4, $5)', [
    purchase.id,
    fact.checkoutId,
    ctx.clock.now(),
    creditsDailyFree,
    creditsDailyCap,
  ]);
  await reachFaultPoint('top-up.attached');
  await ctx.payments.applyFacts(provider, [fact]);
}

async function failPurchase(ctx: Ctx, purchaseId: string, why: string): Promise<void> {
  await ctx.db.call('select payments.fail_purchase($1, $2, $3)', [purchaseId, why, ctx.clock.now()]);
}
