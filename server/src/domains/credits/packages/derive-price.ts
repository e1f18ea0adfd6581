import type { Config } from '../../../config.ts';
import { divideUp, toUnits } from '../../../lib/exact.ts';

/** What so many whole credits cost by CREDITS_PER_EUR, in cents, rounded up, as in `payments.price_of`. */
export function derivePriceCents(
  { creditsPerEur, creditsScale }: Pick<Config, 'creditsPerEur' | 'creditsScale'>,
  credits: number,
): number {
  return divideUp(toUnits(credits, creditsScale) * 100, creditsPerEur);
}
