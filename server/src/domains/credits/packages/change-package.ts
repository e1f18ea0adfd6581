import { eq } from 'drizzle-orm';
import type { Ctx } from '../../../ctx.ts';
import type { Caller } from '../../../db/index.ts';
import { AppError } from '../../../errors.ts';
import type { RequestOrigin } from '../../audit/index.ts';
import { packagePrices, packages } from '../sales-tables.ts';
import type { ManagedPackage, PackageTerms } from './schemas.ts';
import { assertSensible, toColumns, writePackage } from './write-package.ts';

/**
 * Changes a package from now on; whoever has begun to buy it pays and gets what it was then. Throws
 * `request.invalid`, `auth.session_ended`, `auth.admin_required`, `request.not_found`.
 */
export async function changePackage(
  ctx: Ctx,
  caller: Caller,
  { packageId: id, ...terms }: PackageTerms & { packageId: string },
  origin: RequestOrigin,
): Promise<ManagedPackage> {
  assertSensible(ctx, terms);
  return ctx.db.asAdministrator(caller, async (tx) => {
    const [before] = await tx.select().from(packages).where(eq(packages.id, id)).for('no key update');
    if (!before) throw new AppError('request.not_found');
    const version = before.version + 1;
    await tx
      .update(packages)
      .set({ ...toColumns(ctx, terms), version })
      .where(eq(packages.id, id));
    await tx.delete(packagePrices).where(eq(packagePrices.packageId, id));
    return writePackage(ctx, tx, { id, terms, caller, origin, action: 'package.changed' });
  });
}
