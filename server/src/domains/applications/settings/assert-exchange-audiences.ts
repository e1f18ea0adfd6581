import { and, eq, inArray } from 'drizzle-orm';
import type { Tx } from '../../../db/index.ts';
import { readUser } from '../../users/index.ts';
import { adminRole } from '../resolve-roles.ts';
import { memberships, resources } from '../tables.ts';
import { invalidField } from './invalid-field.ts';

/**
 * Throws `request.invalid` unless the caller may let an application exchange tokens for these APIs: those of
 * applications that they administer, and for administrators of this service all that are known. What is there
 * already may stay. @see RFC 8693 §4.1
 */
export async function assertExchangeAudiences(
  tx: Tx,
  userId: string,
  { audiences, current }: { audiences: string[]; current: string[] },
): Promise<void> {
  const added = audiences.filter((audience) => !current.includes(audience));
  if (added.length === 0) return;
  const { role } = await readUser(tx, userId);
  const { identifier, applicationId } = resources;
  const isNamed = inArray(identifier, added);
  const rows =
    role === 'admin'
      ? await tx.select({ identifier }).from(resources).where(isNamed)
      : await tx
          .select({ identifier })
          .from(resources)
          .innerJoin(memberships, eq(memberships.applicationId, applicationId))
          .where(and(isNamed, eq(memberships.userId, userId), eq(memberships.role, adminRole)));
  const allowed = new Set(rows.map((row) => row.identifier));
  const refused = audiences.findIndex((audience) => added.includes(audience) && !allowed.has(audience));
  if (refused < 0) return;
  throw invalidField(
    `/body/tokenExchangeAudiences/${refused}`,
    'must be one of the `resources` of an application that you administer',
  );
}
