import { asc, desc, eq, inArray, type SQL } from 'drizzle-orm';
import type { Ctx } from '../../../ctx.ts';
import type { Caller, Tx } from '../../../db/index.ts';
import { AppError } from '../../../errors.ts';
import { packagePrices, packages, packageVersions } from '../sales-tables.ts';
import type { ManagedPackage, PackageVersion } from './schemas.ts';

/**
 * All packages, those that are not for sale included, for administrators. Throws `auth.session_ended`,
 * `auth.admin_required`.
 */
export async function listManagedPackages(ctx: Ctx, caller: Caller): Promise<ManagedPackage[]> {
  return ctx.db.asAdministrator(caller, (tx) => selectPackages(tx, undefined));
}

/**
 * What a package has been, the youngest version first, for administrators; none for one that came with the
 * service and was never changed. Throws `auth.session_ended`, `auth.admin_required`, `request.not_found`.
 */
export async function listPackageVersions(
  ctx: Ctx,
  caller: Caller,
  packageId: string,
): Promise<PackageVersion[]> {
  return ctx.db.asAdministrator(caller, async (tx) => {
    const [known] = await tx.select({ id: packages.id }).from(packages).where(eq(packages.id, packageId));
    if (!known) throw new AppError('request.not_found');
    const rows = await tx
      .select()
      .from(packageVersions)
      .where(eq(packageVersions.packageId, packageId))
      .orderBy(desc(packageVersions.version))
      .limit(200);
    return rows.map(({ version, terms, changedBy, createdAt }) => ({
      version,
      terms: terms as Record<string, unknown>,
      changedBy,
      createdAt: createdAt.toISOString(),
    }));
  });
}

/** Packages with their prices, in the order in which they are offered. */
export async function selectPackages(tx: Tx, where: SQL | undefined): Promise<ManagedPackage[]> {
  const rows = await tx
    .select()
    .from(packages)
    .where(where)
    .orderBy(asc(packages.position), asc(packages.id));
  const ids = rows.map(({ id }) => id);
  const prices =
    ids.length === 0
      ? []
      : await tx
          .select()
          .from(packagePrices)
          .where(inArray(packagePrices.packageId, ids))
          .orderBy(asc(packagePrices.currency));
  return rows.map(({ isActive, updatedAt, ...row }) => ({
    ...row,
    active: isActive,
    updatedAt: updatedAt?.toISOString() ?? null,
    prices: prices
      .filter(({ packageId }) => packageId === row.id)
      .map(({ currency, priceCents }) => ({ currency, priceCents })),
  }));
}
