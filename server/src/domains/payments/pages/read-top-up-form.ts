import type { Static } from 'typebox';
import type { Ctx } from '../../../ctx.ts';
import { AppError } from '../../../errors.ts';
import { centsPerUnit } from '../../../lib/amount-text.ts';
import { exactInteger, toUnits } from '../../../lib/exact.ts';
import { listPackages } from '../../credits/index.ts';
import type { TopUpBody } from '../top-ups/schemas.ts';
import type { topUpFormSchema } from './schemas.ts';

/**
 * The terms that somebody has typed into the form of automatic top-ups, whose numbers are whole credits and
 * whole units of the pack's currency. Throws `request.invalid`, which names the field.
 */
export async function readTopUpForm(
  ctx: Ctx,
  { packageId, threshold, monthlyCap }: Static<typeof topUpFormSchema>,
): Promise<TopUpBody> {
  const credits = readWhole(threshold, 'threshold');
  const money = readWhole(monthlyCap, 'monthlyCap');
  const currency = (await listPackages(ctx)).find(({ id }) => id === packageId)?.currency ?? 'EUR';
  return {
    packageId,
    threshold: toUnits(credits, ctx.config.creditsScale),
    monthlyCapCents: money * centsPerUnit(currency),
  };
}

function readWhole(text: string, name: string): number {
  if (/^[1-9]\d{0,5}$/.test(text.trim())) return exactInteger(text.trim());
  const message = 'must be a whole number from 1 to 999999';
  throw new AppError('request.invalid', { errors: [{ path: `/body/${name}`, message }] });
}
