import type { PackView, TopUpFields, TopUpView } from '../../../../../web/src/credits-pages.ts';
import type { Ctx } from '../../../ctx.ts';
import type { Caller } from '../../../db/index.ts';
import { centsPerUnit } from '../../../lib/amount-text.ts';
import { divideUp, toUnits } from '../../../lib/exact.ts';
import { readTopUp } from '../top-ups/read-top-up.ts';
import { topUpPath } from './paths.ts';

type TopUpForm = {
  packs: readonly PackView[];
  hidden: Record<string, string>;
  typed?: TopUpFields | undefined;
};

/**
 * How automatic top-ups stand for the caller, and how they are agreed to, with what was `typed` in the try
 * before; null where no card can be kept, or nothing is sold. Throws `auth.session_ended`.
 */
export async function readOwnTopUp(
  ctx: Ctx,
  caller: Caller,
  { packs, hidden, typed }: TopUpForm,
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
    typed: typed ? { ...typed, isAgain: true } : { packageId, ...numbersOf(ctx, terms, currency) },
    form: { action: topUpPath, hidden },
    end: status === 'off' ? null : { action: `${topUpPath}/end`, hidden },
  };
}

/** The numbers that have been agreed to, or a proposal. */
function numbersOf(
  { config }: Ctx,
  { threshold, monthlyCapCents }: Pick<TopUpView, 'threshold' | 'monthlyCapCents'>,
  currency: string,
): Omit<TopUpView['typed'], 'packageId'> {
  const credits = threshold === null ? 100 : divideUp(threshold, toUnits(1, config.creditsScale));
  const money = monthlyCapCents === null ? 50 : divideUp(monthlyCapCents, centsPerUnit(currency));
  return { threshold: String(credits), monthlyCap: String(money), isAgain: false };
}

/** Whether a provider keeps cards, to be charged without their owner being there. */
export function canSaveCard({ payments }: Pick<Ctx, 'payments'>): boolean {
  return payments.providers.some(({ name }) => name === 'stripe');
}
