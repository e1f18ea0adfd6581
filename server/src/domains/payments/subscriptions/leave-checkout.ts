import { eq } from 'drizzle-orm';
import type { Ctx } from '../../../ctx.ts';
import { endCheckout } from '../end-checkout.ts';
import { subscriptions } from '../plan-tables.ts';
import { providerOf } from '../provider-of.ts';
import { abandonOpening } from './abandon-opening.ts';
import type { Subscription } from './find-subscription.ts';

/**
 * Leaves the checkout of a subscription that waits: it is ended at its provider, and what came of it until
 * then is applied, since it may have been paid at the last moment. It is abandoned when nothing did, and
 * stays as it is when the provider does not end it and cannot say what will come of it. Returns how it stands
 * then. Throws `payments.provider_not_set_up` (a page in the other mode may still be paid), and what the
 * provider throws.
 */
export async function leaveCheckout(ctx: Ctx, subscription: Subscription): Promise<Subscription['status']> {
  const { id, checkoutId } = subscription;
  const provider = providerOf(ctx, subscription);
  let isOver = true;
  if (checkoutId !== null) {
    const isEnded = await endCheckout(provider, checkoutId);
    const facts = await provider.readSubscriptionCheckout(checkoutId);
    isOver = facts === null || (facts.length === 0 && isEnded);
    await ctx.payments.applyFacts(provider, facts ?? []);
  }
  if (isOver) await abandonOpening(ctx, subscription);
  const [now] = await ctx.db.asService((tx) =>
    tx.select({ status: subscriptions.status }).from(subscriptions).where(eq(subscriptions.id, id)),
  );
  return now?.status ?? 'abandoned';
}
