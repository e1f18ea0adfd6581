import { isNull, sql } from 'drizzle-orm';
import type { Ctx } from '../../ctx.ts';
import type { Tx } from '../../db/index.ts';
import { newId } from '../../lib/ids.ts';
import { authorizations } from './tables.ts';

/** Refresh tokens do not outlive this, whatever is refreshed in between. */
export const refreshTtlSeconds = 30 * 86_400;

export type AuthorizationOwner = { userId: string; applicationId: string; sessionId: string };

/**
 * The authorization of an application in a session, opened when there is none: only if the person has
 * granted it something that they have not taken back, for which whoever ends the grant waits. Lives thirty
 * days from now. Returns its id.
 */
export async function openAuthorization(
  ctx: Ctx,
  tx: Tx,
  { userId, applicationId, sessionId }: AuthorizationOwner,
): Promise<string | undefined> {
  const { rows } = await tx.execute<{ id: string }>(sql`
    select id from apps.grants
     where application_id = ${applicationId} and user_id = ${userId} and revoked_at is null
       for no key update`);
  const grantId = rows[0]?.id;
  if (grantId === undefined) return undefined;
  const now = ctx.clock.now();
  const expiresAt = new Date(now.getTime() + refreshTtlSeconds * 1000);
  const values = { grantId, applicationId, userId, sessionId, expiresAt };
  const [opened] = await tx
    .insert(authorizations)
    .values({ id: newId(ctx), ...values, createdAt: now })
    .onConflictDoUpdate({
      target: [authorizations.sessionId, authorizations.applicationId],
      targetWhere: isNull(authorizations.revokedAt),
      set: { expiresAt },
    })
    .returning({ id: authorizations.id });
  return opened?.id;
}
