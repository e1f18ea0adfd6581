import type { Ctx } from '../../ctx.ts';
import type { Caller } from '../../db/index.ts';
import { findPurchase, type Purchase } from '../credits/index.ts';
import { checkPurchase } from './check-purchase.ts';
import type { PurchaseRow } from './open-checkout.ts';
import type { PurchaseDetail } from './schemas.ts';

/**
 * A purchase of the caller's. One that is pending is brought up to what its provider says, every few seconds
 * at most; when the provider cannot be asked, it is shown as it is known. Throws `auth.session_ended`,
 * `request.not_found`.
 */
export async function readPurchase(ctx: Ctx, caller: Caller, purchaseId: string): Promise<PurchaseDetail> {
  const known = await findPurchase(ctx, caller, purchaseId);
  if (known.status !== 'pending') return toDetail(known);
  const [due] = await ctx.db.call<{ purchase: PurchaseRow | null }>(
    'select payments.take_check($1, $2, $3) as purchase',
    [purchaseId, caller.userId, ctx.clock.now()],
  );
  if (!due?.purchase) return toDetail(known);
  try {
    await checkPurchase(ctx, due.purchase);
  } catch (error) {
    ctx.log.warn({ err: error, purchaseId }, 'the payment of a purchase is not cleared up');
  }
  return toDetail(await findPurchase(ctx, caller, purchaseId));
}

function toDetail(purchase: Purchase): PurchaseDetail {
  const { createdAt, completedAt, expiresAt, checkoutUrl, postedCredits, isLive, ...rest } = purchase;
  return {
    ...rest,
    creditsReceived: postedCredits,
    isTest: !isLive,
    checkoutUrl: purchase.status === 'pending' ? checkoutUrl : null,
    createdAt: createdAt.toISOString(),
    completedAt: completedAt?.toISOString() ?? null,
    expiresAt: expiresAt?.toISOString() ?? null,
  };
}
