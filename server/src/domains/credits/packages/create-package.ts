import type { Ctx } from '../../../ctx.ts';
import type { Caller } from '../../../db/index.ts';
import { AppError } from '../../../errors.ts';
import type { RequestOrigin } from '../../audit/index.ts';
import { packages } from '../sales-tables.ts';
import type { ManagedPackage, PackageTerms } from './schemas.ts';
import { assertSensible, toColumns, writePackage } from './write-package.ts';

/**
 * Puts a package up for sale. Throws `request.invalid`, `auth.session_ended`, `auth.admin_required`,
 * `payments.package_exists`.
 */
export async function createPackage(
  ctx: Ctx,
  caller: Caller,
  { id, ...terms }: PackageTerms & { id: string },
  origin: RequestOrigin,
): Promise<ManagedPackage> {
  assertSensible(ctx, terms);
  return ctx.db.asAdministrator(caller, async (tx) => {
    const row = { id, ...toColumns(ctx, terms), version: 1 };
    const added = await tx.insert(packages).values(row).onConflictDoNothing().returning({ id: packages.id });
    if (added.length === 0) throw new AppError('payments.package_exists');
    return writePackage(ctx, tx, { id, terms, caller, origin, action: 'package.created' });
  });
}
