import { and, eq } from 'drizzle-orm';
import type { Ctx } from '../../../ctx.ts';
import { reachFaultPoint } from '../../../lib/fault-points.ts';
import { planPrices } from '../plan-tables.ts';
import type { Plan, PlanVersion } from '../plans/to-plan-view.ts';
import type { PaymentProvider } from '../payment-provider.ts';

/**
 * The price by which a provider knows the terms of a plan, made there on first use. Throws what the provider
 * throws.
 */
export async function ensurePriceOf(
  ctx: Ctx,
  provider: PaymentProvider,
  plan: Pick<Plan, 'name'>,
  { planId, version, priceCents, currency, billingInterval, taxBehavior }: PlanVersion,
): Promise<string> {
  const { name, isLive } = provider;
  const offered = and(
    eq(planPrices.provider, name),
    eq(planPrices.isLive, isLive),
    eq(planPrices.isCurrent, true),
  );
  const [known] = await ctx.db.asService((tx) =>
    tx
      .select({ id: planPrices.providerPriceId })
      .from(planPrices)
      .where(and(offered, eq(planPrices.planId, planId), eq(planPrices.version, version)))
      .limit(1),
  );
  if (known) return known.id;
  const terms = { priceCents, currency, interval: billingInterval, taxBehavior };
  const providerPriceId = await provider.ensurePrice({ planId, version, name: plan.name, ...terms });
  await reachFaultPoint('subscription.priced');
  const price = { provider: name, providerPriceId, planId, version, isLive, isCurrent: true };
  await ctx.db.asService((tx) => tx.insert(planPrices).values(price).onConflictDoNothing());
  return providerPriceId;
}
