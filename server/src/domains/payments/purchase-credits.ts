import { createHash } from 'node:crypto';
import type { Ctx } from '../../ctx.ts';
import type { Caller } from '../../db/index.ts';
import { AppError } from '../../errors.ts';
import { canonicalJson } from '../../lib/canonical-json.ts';
import { toUnits } from '../../lib/exact.ts';
import { reachFaultPoint } from '../../lib/fault-points.ts';
import { newId } from '../../lib/ids.ts';
import type { ProviderName } from './fact.ts';
import { openCheckout, type PurchaseRow } from './open-checkout.ts';

export type PurchaseOrder = {
  packageId: string;
  provider?: ProviderName;
  currency?: string;
  /** Keep the card for automatic top-ups. */
  saveCard?: boolean;
  idempotencyKey?: string;
};

/**
 * Stripe lets a checkout live for a day at most; an hour is for finding it again when its answer was lost.
 */
const checkoutHours = 23;

/**
 * Begins the purchase of a package: the purchase is there before the provider hears of it, so whatever the
 * provider tells finds it. The same key again gets the same purchase and checkout, and no other checkout once
 * that has failed: `payments.provider_refused`, as before. Returns where to pay. Throws `auth.session_ended`,
 * `request.not_found`, `idempotency.mismatch`, `credits.wallet_inactive`, `payments.provider_not_set_up`,
 * `payments.package_unavailable`, `payments.currency_unavailable`, `payments.limit_reached`,
 * `payments.provider_unavailable`, `payments.provider_refused`.
 */
export async function purchaseCredits(
  ctx: Ctx,
  caller: Caller,
  { idempotencyKey, ...order }: PurchaseOrder,
): Promise<{ purchaseId: string; checkoutUrl: string; isReplay: boolean }> {
  const provider = ctx.payments.provider(order.provider);
  const now = ctx.clock.now();
  const asked = {
    id: newId(ctx),
    user_id: caller.userId,
    session_id: caller.sessionId,
    package_id: order.packageId,
    currency: order.currency,
    saves_card: order.saveCard,
    provider: provider.name,
    is_live: provider.isLive,
    units_per_credit: toUnits(1, ctx.config.creditsScale),
    credits_per_eur: ctx.config.creditsPerEur,
    idempotency_key: idempotencyKey,
    request_hash: createHash('sha256').update(canonicalJson(order)).digest('hex'),
    expires_at: new Date(now.getTime() + checkoutHours * 3_600_000),
  };
  const [row] = await ctx.db.call<{ purchase: PurchaseRow & { is_replay: boolean } }>(
    'select payments.begin_purchase($1, $2) as purchase',
    [JSON.stringify(asked), now],
  );
  if (!row) throw new Error('payments.begin_purchase returned no row');
  await reachFaultPoint('purchase.begun');
  const { purchase } = row;
  // Limits and prices may be others by now than when it was begun.
  if (purchase.checkout_url === null && purchase.status !== 'pending')
    throw new AppError('payments.provider_refused');
  const checkoutUrl = purchase.checkout_url ?? (await openCheckout(ctx, purchase));
  return { purchaseId: purchase.id, checkoutUrl, isReplay: purchase.is_replay };
}
