import { eq } from 'drizzle-orm';
import type { Ctx } from '../../../ctx.ts';
import type { Caller, Tx } from '../../../db/index.ts';
import { AppError, type FieldError } from '../../../errors.ts';
import { recordAuditEvent, type AuditAction, type RequestOrigin } from '../../audit/index.ts';
import { packagePrices, packages, packageVersions } from '../sales-tables.ts';
import { derivePriceCents } from './derive-price.ts';
import { selectPackages } from './list-managed-packages.ts';
import { priceCentsMax, type ManagedPackage, type PackageTerms } from './schemas.ts';

/** The columns of a package with these terms. */
export function toColumns(ctx: Ctx, terms: PackageTerms) {
  return {
    name: terms.name,
    credits: terms.credits,
    position: terms.position,
    currency: terms.currency ?? 'EUR',
    priceCents: terms.priceCents ?? null,
    description: terms.description ?? null,
    taxBehavior: terms.taxBehavior ?? ('inclusive' as const),
    perUserMax: terms.perUserMax ?? null,
    perUserDays: terms.perUserDays ?? null,
    isActive: terms.active,
    updatedAt: ctx.clock.now(),
  };
}

type Written = {
  id: string;
  terms: PackageTerms;
  caller: Caller;
  origin: RequestOrigin;
  action: AuditAction;
};

/** Writes the prices of a package, keeps the version, and notes who did it. Returns it as it is then. */
export async function writePackage(
  ctx: Ctx,
  tx: Tx,
  { id, terms, caller, origin, action }: Written,
): Promise<ManagedPackage> {
  const { prices = [] } = terms;
  if (prices.length > 0) {
    await tx.insert(packagePrices).values(prices.map((price) => ({ packageId: id, ...price })));
  }
  const [written] = await selectPackages(tx, eq(packages.id, id));
  if (!written) throw new Error('a package that was written is not there');
  const { version } = written;
  await tx.insert(packageVersions).values({
    packageId: id,
    version,
    terms: written,
    changedBy: caller.userId,
    createdAt: ctx.clock.now(),
  });
  const actor = { type: 'user' as const, id: caller.userId };
  await recordAuditEvent(
    ctx,
    tx,
    { action, actor, target: { type: 'package', id }, details: { version } },
    origin,
  );
  return written;
}

/** Throws `request.invalid` for terms that do not go together. */
export function assertSensible(
  ctx: Pick<Ctx, 'config'>,
  { credits, currency = 'EUR', priceCents, prices = [], perUserMax, perUserDays }: PackageTerms,
): void {
  const errors: FieldError[] = [];
  if (currency !== 'EUR' && (priceCents ?? null) === null) {
    errors.push({ path: '/body/priceCents', message: 'is required for any currency but EUR' });
  }
  if ((priceCents ?? null) === null && derivePriceCents(ctx.config, credits) > priceCentsMax) {
    const message = `cost more than ${priceCentsMax} cents by CREDITS_PER_EUR; say \`priceCents\``;
    errors.push({ path: '/body/credits', message });
  }
  const currencies = [currency, ...prices.map((price) => price.currency)];
  if (new Set(currencies).size < currencies.length) {
    errors.push({
      path: '/body/prices',
      message: 'must name each currency once, and not that of the package',
    });
  }
  if ((perUserDays ?? null) !== null && (perUserMax ?? null) === null) {
    errors.push({ path: '/body/perUserDays', message: 'is of use with perUserMax only' });
  }
  if (errors.length > 0) throw new AppError('request.invalid', { errors });
}
