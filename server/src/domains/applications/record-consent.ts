import { sql } from 'drizzle-orm';
import type { Ctx } from '../../ctx.ts';
import type { Tx } from '../../db/index.ts';
import { newId } from '../../lib/ids.ts';
import { grants } from './tables.ts';

export type Consent = {
  applicationId: string;
  userId: string;
  scopes: string[];
  claims: string[];
  authorizationDetails: Record<string, unknown>[];
};

/**
 * Writes down what a person agreed to for an application: what they have granted before and not taken back
 * stays granted. Returns the id of the grant, and whether it begins with this consent. `tx` is the
 * service's.
 */
export async function recordConsent(
  ctx: Ctx,
  tx: Tx,
  { applicationId, userId, scopes, claims, authorizationDetails }: Consent,
): Promise<{ grantId: string; isNew: boolean }> {
  const now = ctx.clock.now();
  const id = newId(ctx);
  const isRevoked = sql`${grants.revokedAt} is not null`;
  const merged = (column: typeof grants.scopes | typeof grants.claims, name: 'scopes' | 'claims') => sql`
    case when ${isRevoked} then excluded.${sql.raw(name)}
         else array(select distinct unnest(${column} || excluded.${sql.raw(name)}) order by 1) end`;
  const [grant] = await tx
    .insert(grants)
    .values({
      id,
      applicationId,
      userId,
      scopes,
      claims,
      authorizationDetails,
      createdAt: now,
      updatedAt: now,
    })
    .onConflictDoUpdate({
      target: [grants.applicationId, grants.userId],
      set: {
        scopes: merged(grants.scopes, 'scopes'),
        claims: merged(grants.claims, 'claims'),
        authorizationDetails: sql`excluded.authorization_details`,
        createdAt: sql`case when ${isRevoked} then excluded.created_at else ${grants.createdAt} end`,
        updatedAt: now,
        revokedAt: null,
      },
    })
    .returning({ id: grants.id, createdAt: grants.createdAt });
  if (!grant) throw new Error('The insert returned no row');
  return { grantId: grant.id, isNew: grant.createdAt.getTime() === now.getTime() };
}
