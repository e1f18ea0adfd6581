import type { PackView, TopUpView } from '../../../../../web/src/credits-pages.ts';
import type { Ctx } from '../../../ctx.ts';
import type { Caller } from '../../../db/index.ts';
import { centsPerUnit } from '../../../lib/amount-text.ts';
import { divideUp, toUnits } from '../../../lib/exact.ts';
import { readTopUp } from '../top-ups/read-top-up.ts';
import { topUpPath } from './paths.ts';

/**
 * How automatic top-ups stand for the caller, and how they are agreed to; null where no card can be kept, or
 * nothing is sold. Throws `auth.session_ended`.
 */
export async function readOwnTopUp(
  ctx: Ctx,
  caller: Caller,
  packs: readonly PackView[],
  hidden: Record<string, string>,
): Promise<TopUpView | null> {
  const [first] = packs;
  if (!first || !canSaveCard(ctx)) return null;
  const { status, reason, packageId, ...terms } = await readTopUp(ctx, caller);
  const currency = terms.currency ?? first.currency;
  return {
    status,
    reason,
    packageId,
    packName: packs.find(({ id }) => id === packageId)?.name ?? null,
    threshold: terms.threshold,
    priceCents: terms.priceCents,
    monthlyCapCents: terms.monthlyCapCents,
    chargedThisMonthCents: terms.chargedThisMonthCents,
    currency,
    typed: {
      threshold:
        terms.threshold === null ? 100 : divideUp(terms.threshold, toUnits(1, ctx.config.creditsScale)),
      monthlyCap:
        terms.monthlyCapCents === null ? 50 : divideUp(terms.monthlyCapCents, centsPerUnit(currency)),
    },
    form: { action: topUpPath, hidden },
    end: status === 'off' ? null : { action: `${topUpPath}/end`, hidden },
  };
}

/** Whether a provider keeps cards, to be charged without their owner being there. */
export function canSaveCard({ payments }: Pick<Ctx, 'payments'>): boolean {
  return payments.providers.some(({ name }) => name === 'stripe');
}
