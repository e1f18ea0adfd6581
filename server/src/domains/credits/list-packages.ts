import { asc, eq } from 'drizzle-orm';
import type { Ctx } from '../../ctx.ts';
import { divideUp } from '../../lib/exact.ts';
import { packages } from './sales-tables.ts';
import type { PackageView } from './schemas.ts';

/**
 * What is for sale, in the order in which it is offered. A package without a price of its own costs what
 * CREDITS_PER_EUR says, rounded up to the cent.
 */
export async function listPackages(ctx: Ctx): Promise<PackageView[]> {
  const rows = await ctx.db.asService((tx) =>
    tx.select().from(packages).where(eq(packages.isActive, true)).orderBy(asc(packages.position)),
  );
  return rows.map(({ id, name, credits, priceCents, currency, isActive }) => ({
    id,
    name,
    credits,
    priceCents: priceCents ?? divideUp(credits * 100, ctx.config.creditsPerEur),
    currency,
    active: isActive,
  }));
}
