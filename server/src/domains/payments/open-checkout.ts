import type { Ctx } from '../../ctx.ts';
import { AppError } from '../../errors.ts';
import { reachFaultPoint } from '../../lib/fault-points.ts';
import { creditsAddress } from '../credits/index.ts';
import type { ProviderName } from './fact.ts';
import { providerOf } from './provider-of.ts';

/** A purchase as `payments.purchase_view` writes it, with what a checkout shows of its buyer. */
export type PurchaseRow = {
  id: string;
  wallet_id: string;
  user_id: string | null;
  package_id: string | null;
  kind: 'pack' | 'top_up' | 'period';
  title: string;
  credits: number;
  price_cents: number;
  currency: string;
  tax_behavior: 'inclusive' | 'exclusive' | 'unspecified';
  provider: ProviderName;
  is_live: boolean;
  saves_card: boolean;
  status: 'pending' | 'completed' | 'failed' | 'refunded' | 'disputed';
  transaction_id: string | null;
  checkout_id: string | null;
  checkout_url: string | null;
  posted_credits: number;
  refunded_cents: number;
  disputed_cents: number;
  created_at: string;
  completed_at: string | null;
  expires_at: string | null;
  email: string | null;
  customer_id: string | null;
};

/**
 * Opens the checkout of a purchase, or finds the one that was opened when the answer was lost: the provider
 * knows the purchase by its id. Applies what the provider has told of it meanwhile. Returns where to pay.
 * When the provider refuses, the purchase has failed. Throws `payments.provider_unavailable`,
 * `payments.provider_refused`, and `payments.provider_not_set_up` when there is no such provider in the mode
 * of the purchase.
 */
export async function openCheckout(ctx: Ctx, purchase: PurchaseRow): Promise<string> {
  const provider = providerOf(ctx, purchase);
  const order = {
    purchaseId: purchase.id,
    userId: purchase.user_id ?? purchase.wallet_id,
    email: purchase.email ?? '',
    customerId: purchase.customer_id,
    title: purchase.title,
    amountCents: purchase.price_cents,
    currency: purchase.currency,
    taxBehavior: purchase.tax_behavior,
    savesCard: purchase.saves_card,
    successUrl: creditsAddress(ctx, { purchase: purchase.id }),
    cancelUrl: creditsAddress(ctx, { purchase: purchase.id, cancelled: 'true' }),
    expiresAt: new Date(purchase.expires_at ?? purchase.created_at),
  };
  try {
    const { checkoutId, url } = await provider.openCheckout(order);
    await reachFaultPoint('purchase.opened');
    await attachCheckout(ctx, purchase.id, { checkoutId, url });
    await reachFaultPoint('purchase.attached');
    return url;
  } catch (error) {
    if (error instanceof AppError && error.code === 'payments.provider_refused') {
      await reachFaultPoint('purchase.refused');
      await ctx.db.call('select payments.fail_purchase($1, $2, $3)', [
        purchase.id,
        'provider_refused',
        ctx.clock.now(),
      ]);
    }
    throw error;
  }
}

async function attachCheckout(
  ctx: Ctx,
  purchaseId: string,
  { checkoutId, url }: { checkoutId: string; url: string },
): Promise<void> {
  const { creditsDailyFree, creditsDailyCap } = ctx.config;
  await ctx.db.call('select payments.attach_checkout($1, $2, $3, $4, $5, $6)', [
    purchaseId,
    checkoutId,
    url,
    ctx.clock.now(),
    creditsDailyFree,
    creditsDailyCap,
  ]);
}
