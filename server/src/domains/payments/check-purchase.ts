import type { Ctx } from '../../ctx.ts';
import { reachFaultPoint } from '../../lib/fault-points.ts';
import { captureRuleOf } from './capture-rule.ts';
import { endCheckout } from './end-checkout.ts';
import { openCheckout, type PurchaseRow } from './open-checkout.ts';
import { openableMs } from './openable-ms.ts';
import type { MayCapture, PaymentProvider } from './payment-provider.ts';
import { isLeftTest, providerOf } from './provider-of.ts';
import { chargeTopUp } from './top-ups/charge-top-up.ts';

/**
 * Asks the provider how a pending purchase stands, and applies the answer. One whose checkout was never heard
 * of is opened (a top-up: charged) again under its key while that may be, since the provider may have done
 * so, and fails after that. A checkout that is over its time is ended. What is approved is captured where
 * `mayCapture` says so: by default where the purchase may still be paid. Throws
 * `payments.provider_unavailable`, `payments.provider_refused`, and `payments.provider_not_set_up` when there
 * is no such provider in the mode of the purchase: the other mode knows nothing of its checkout. One that is
 * left from test mode is over with its time, whatever was paid there.
 */
export async function checkPurchase(ctx: Ctx, purchase: PurchaseRow, mayCapture?: MayCapture): Promise<void> {
  const remainingMs = new Date(purchase.expires_at ?? 0).getTime() - ctx.clock.now().getTime();
  if (purchase.checkout_id === null) {
    if (remainingMs > openableMs && purchase.kind === 'top_up') await chargeTopUp(ctx, purchase);
    else if (remainingMs > openableMs) await openCheckout(ctx, purchase);
    else await failPurchase(ctx, purchase, 'never_opened');
    return;
  }
  if (isLeftTest(ctx, purchase) && remainingMs < 0) {
    const ended = expiredFact(purchase, purchase.checkout_id);
    await ctx.payments.applyFacts({ name: purchase.provider, isLive: false }, [ended]);
    return;
  }
  const provider = providerOf(ctx, purchase);
  const fact = await readCheckout(provider, purchase, {
    checkoutId: purchase.checkout_id,
    isOver: remainingMs < 0,
    mayCapture: mayCapture ?? captureRuleOf(ctx, provider),
  });
  await reachFaultPoint('purchase.read');
  await ctx.payments.applyFacts(provider, [fact]);
  await reachFaultPoint('purchase.applied');
}

async function readCheckout(
  provider: PaymentProvider,
  purchase: PurchaseRow,
  { checkoutId, isOver, mayCapture }: { checkoutId: string; isOver: boolean; mayCapture: MayCapture },
) {
  const fact = await provider.readCheckout(checkoutId, mayCapture);
  if (fact?.status === 'open' && isOver) {
    await endCheckout(provider, checkoutId);
    await reachFaultPoint('purchase.expired');
    return (await provider.readCheckout(checkoutId, mayCapture)) ?? fact;
  }
  if (fact) return fact;
  // What a provider does not know any more can no longer be paid.
  return expiredFact(purchase, checkoutId);
}

/** That a checkout can no longer be paid. */
function expiredFact({ id, price_cents: amountCents, currency }: PurchaseRow, checkoutId: string) {
  return {
    kind: 'checkout' as const,
    checkoutId,
    purchaseId: id,
    paymentId: null,
    status: 'expired' as const,
    amountCents,
    currency,
    customerId: null,
  };
}

async function failPurchase(ctx: Ctx, { id }: PurchaseRow, why: string): Promise<void> {
  await ctx.db.call('select payments.fail_purchase($1, $2, $3)', [id, why, ctx.clock.now()]);
}
