import { eq } from 'drizzle-orm';
import type { Ctx } from '../../ctx.ts';
import { toUnits } from '../../lib/exact.ts';
import { derivePriceCents } from './packages/derive-price.ts';
import { selectPackages } from './packages/list-managed-packages.ts';
import { packages } from './sales-tables.ts';
import type { PackageView } from './schemas.ts';

/**
 * What is for sale, in the order in which it is offered. Packages are kept in credits and shown in the units
 * that wallets count. One without a price of its own costs what CREDITS_PER_EUR says, rounded up to the cent.
 */
export async function listPackages(ctx: Ctx): Promise<PackageView[]> {
  const rows = await ctx.db.asService((tx) => selectPackages(tx, eq(packages.isActive, true)));
  const { creditsScale: scale } = ctx.config;
  return rows.map(
    ({ id, name, description, credits, priceCents, currency, prices, taxBehavior, active, version }) => ({
      id,
      name,
      description,
      credits: toUnits(credits, scale),
      scale,
      priceCents: priceCents ?? derivePriceCents(ctx.config, credits),
      currency,
      prices,
      taxBehavior,
      active,
      version,
    }),
  );
}
